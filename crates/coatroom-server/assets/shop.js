// Lets the bars of the ticket run down between two page loads. Without it they stand still.
"use strict";

// Seconds are counted from the page's own start, so that the visitor's clock need not be right.
const started = performance.now();

function words(seconds) {
  const [d, h, m] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (d > 0) return `${d} d ${h} h left`;
  if (h > 0) return `${h} h ${m} min left`;
  if (m > 0) return `${m} min ${Math.floor(seconds % 60)} s left`;
  return `${Math.floor(seconds)} s left`;
}

function run() {
  const passed = (performance.now() - started) / 1000;
  let ended = false;
  for (const bar of document.querySelectorAll("progress[data-left]")) {
    const left = Math.max(0, Number(bar.dataset.left) - passed);
    bar.value = left;
    bar.classList.toggle("low", left < bar.max / 5);
    document.getElementById(`${bar.id}-left`).textContent = left > 0 ? words(left) : "over";
    ended ||= left === 0;
  }
  const notice = document.getElementById("ended");
  if (ended && notice) notice.hidden = false;
  if (!ended) setTimeout(run, 1000);
}

// A page brought back from the browser's memory may show a session that is over.
addEventListener("pageshow", (event) => event.persisted && location.reload());
if (document.querySelector("progress[data-left]")) run();

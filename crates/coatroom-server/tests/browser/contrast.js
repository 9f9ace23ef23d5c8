// How well things stand out from what they lie on, by WCAG 2.2. The functions run in the page.

/** Words that are too faint (1.4.3): 4.5 to 1, large ones 3 to 1. */
export function faintWords() {
  const faint = [];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    const words = own.map((node) => node.data.trim()).join(" ");
    const hidden = element.matches(".away") || !element.checkVisibility();
    if (hidden || !/[\p{L}\p{N}]/u.test(words)) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    const size = parseFloat(fontSize);
    const large = size >= 24 || (size >= 18.66 && fontWeight >= 700);
    const ratio = contrast(color, ground(element));
    if (ratio < (large ? 3 : 4.5)) faint.push(`${words}: ${ratio.toFixed(2)}`);
  }
  return faint;
}

/** The contrast of the ring around what has the focus (1.4.11: 3 to 1). */
export function ring() {
  const element = document.activeElement;
  const { outlineColor, outlineStyle } = getComputedStyle(element);
  return outlineStyle === "none" ? 0 : contrast(outlineColor, ground(element.parentElement));
}

/** What both need. */
export function tools() {
  const numbers = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = numbers(color).map((part) => part / 255);
    const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  globalThis.contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  globalThis.ground = (element) => {
    const { backgroundColor } = getComputedStyle(element);
    const opaque = (numbers(backgroundColor)[3] ?? 1) === 1;
    return opaque || !element.parentElement ? backgroundColor : ground(element.parentElement);
  };
}

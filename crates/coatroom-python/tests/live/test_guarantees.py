"""What a site's visitors can rely on, over HTTP."""

import concurrent.futures
import re

import pytest
from conftest import copy_of
from instance import Browser
from instance import while_one_writes


def together(count, work):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def anonymous(instance):
    return Browser(instance, site="/Plone")


def sign_in(browser, user="member"):
    answer = browser.post(
        "/login", __ac_name=user, __ac_password="secret12345", **{"buttons.login": "Log in", "came_from": ""}
    )
    assert answer.status in (200, 302), answer.status
    return answer


def data(browser):
    return browser.get("/sess-read").json["data"]


def test_a_restart_and_a_kill_keep_every_acknowledged_change(fresh):
    instance = fresh().start()
    browser = anonymous(instance)
    for expected in (1, 2, 3):
        assert browser.get("/sess-increment").json == expected
    browser.get("/sess-collections")
    instance.stop(kill=True)
    instance.start()
    assert browser.get("/sess-increment").json == 4
    instance.stop()
    instance.start()
    assert browser.get("/sess-increment").json == 5
    before = revision_of(instance, browser)
    read = data(browser)
    assert read["n"] == "5" and "word 49" in read["collections"]
    assert revision_of(instance, browser) == before, "reading after a restart writes nothing"


def revision_of(instance, browser):
    return browser.get("/sess-revision").json


def test_a_page_that_fails_leaves_the_session_as_it_was(browser):
    browser.get("/sess-set", key="kept", value="yes")
    assert browser.get("/sess-raise").status == 500
    assert data(browser) == {"kept": "'yes'"}


def test_a_later_party_that_refuses_leaves_content_and_session_unchanged(browser):
    browser.get("/sess-set", key="kept", value="yes")
    assert browser.get("/sess-veto").status == 500
    assert data(browser) == {"kept": "'yes'"}
    assert browser.get("/sess-vetoed").json is None


def test_a_cookie_from_before_logout_has_no_session_after_it(browser):
    sign_in(browser)
    browser.get("/sess-set", key="secret", value="yes")
    stolen = browser.copy()
    assert browser.get("/logout").status in (200, 302)
    assert data(stolen) == {}


def test_a_slow_writer_never_brings_back_what_a_logout_ended(browser):
    browser.get("/sess-set", key="secret", value="yes")
    slow, ended = browser.copy(), []
    written = while_one_writes(slow, lambda: ended.append(browser.get("/sess-invalidate").status))
    assert (written.status, ended) == (200, [200])
    assert data(slow) == {"slow": "1"}


def test_a_slow_writer_never_brings_back_what_plones_logout_ended(browser):
    sign_in(browser)
    browser.get("/sess-set", key="secret", value="yes")
    slow, ended = browser.copy(), []
    written = while_one_writes(slow, lambda: ended.append(browser.get("/logout").status))
    assert (written.status, ended) == (200, [302])
    assert "secret" not in data(slow) and "secret" not in data(browser)


def test_login_keeps_the_data_under_a_new_id_and_the_old_one_is_dead(browser):
    browser.get("/sess-increment")
    before = browser.copy()
    answer = browser.get("/sess-login")
    assert answer.json["data"] == {"n": "1", "logins": "1", "after": "'login'"}
    assert len(answer.cookies_set("_ZopeId")) == 1
    assert browser.cookies["_ZopeId"] != before.cookies["_ZopeId"]
    assert answer.json["key"] == browser.cookies["_ZopeId"]
    assert data(browser) == answer.json["data"]
    straggler = before.get("/sess-increment")
    assert straggler.json == 1, "an empty session"
    assert not straggler.cookies_set("_ZopeId")
    assert data(before) == {}, "that is not kept"


def test_a_login_among_ten_requests_keeps_the_counter_and_sets_one_cookie(browser):
    browser.get("/sess-increment")
    visitors = [browser.copy() for _ in range(11)]

    def run(number):
        if number == 5:
            return visitors[5].get("/sess-login", wait="50")
        return visitors[number].get("/sess-increment", wait="20")

    answers = together(11, run)
    assert {answer.status for answer in answers} == {200}
    with_cookie = [number for number, answer in enumerate(answers) if answer.cookies_set("_ZopeId")]
    assert with_cookie == [5]
    # Those before the login count on; those after it get sessions that are not kept, and say 1.
    counted = [answer.json for number, answer in enumerate(answers) if number != 5 and answer.json > 1]
    assert int(data(visitors[5])["n"]) == 1 + len(counted)


def test_a_session_begun_by_an_anonymous_visitor_is_renewed_when_a_user_comes(browser):
    browser.get("/sess-increment")
    before = browser.cookies["_ZopeId"]
    sign_in(browser)
    read = browser.get("/sess-read").json
    assert read["user"] == "member" and read["data"] == {"n": "1"}
    assert browser.cookies["_ZopeId"] != before


def test_a_session_of_one_user_used_by_another_starts_empty(browser):
    sign_in(browser)
    browser.get("/sess-set", key="secret", value="yes")
    thief = anonymous(browser.instance)
    sign_in(thief, "other")
    thief.cookies["_ZopeId"] = browser.cookies["_ZopeId"]
    read = thief.get("/sess-read").json
    assert (read["user"], read["data"]) == ("other", {})


def test_ids_that_the_site_did_not_issue_are_never_adopted(instance):
    planted = "12345678BA00pPnzCAA"
    for bad in (planted, planted + "x" * 42, "'><script>", "ä" * 20, "0" * 5000):
        browser = Browser(instance, {"_ZopeId": bad.encode("utf-8").decode("latin-1")}, "/Plone")
        answer = browser.get("/sess-increment")
        assert (answer.status, answer.json) == (200, 1)
        assert browser.cookies["_ZopeId"] != bad
    for _ in range(2):
        browser = anonymous(instance)
        assert browser.get("/sess-increment", _ZopeId=planted).json == 1
        assert browser.cookies["_ZopeId"] != planted


@pytest.mark.parametrize("namespace", ["cookie", "form"])
def test_ids_of_others_are_not_adopted_after_a_request_that_failed_either(instance, namespace):
    planted = "12345678BA00pPnzCAA"
    for page in ("/sess-raise", "/sess-increment"):
        browser = Browser(instance, {"_ZopeId": planted} if namespace == "cookie" else {}, "/Plone")
        form = {"_ZopeId": planted} if namespace == "form" else {}
        answer = browser.get(page, **form)
        assert answer.status == (500 if page == "/sess-raise" else 200)
        assert browser.get("/sess-read", **form).json["key"] != planted
        assert browser.cookies["_ZopeId"] != planted
    assert answer.json == 1


def test_an_id_that_was_issued_to_a_request_that_failed_is_good(instance):
    browser = anonymous(instance)
    assert browser.get("/sess-raise").status == 500
    issued = browser.cookies.get("_ZopeId")
    assert browser.get("/sess-increment").json == 1
    assert issued in (None, browser.cookies["_ZopeId"])


def test_the_request_cannot_say_itself_that_its_id_is_ours(instance):
    forged = "12345678BA00pPnzCAA"
    for form in ({"browser_id_": forged}, {"browser_id_": forged, "browser_id_ours_": forged}):
        visitor = Browser(instance, site="/Plone")
        assert visitor.get("/sess-read", **form).json["key"] != forged
        cookie = {"browser_id_": forged, "browser_id_ours_": forged}
        assert Browser(instance, cookie, site="/Plone").get("/sess-read").json["key"] != forged


def test_the_cookie_is_http_only_and_its_answer_is_not_cached(instance):
    answer = anonymous(instance).get("/sess-increment")
    (cookie,) = answer.cookies_set("_ZopeId")
    assert re.search("; HttpOnly", cookie) and re.search("; SameSite=Lax", cookie)
    assert dict(answer.headers)["Cache-Control"] == "private"


def test_reading_a_session_writes_nothing_to_the_zodb(browser):
    browser.get("/sess-increment")
    before = browser.get("/sess-database").json
    for _ in range(1000):
        assert browser.get("/sess-read").json["data"] == {"n": "1"}
    assert browser.get("/sess-database").json == before


@pytest.fixture(scope="module", params=[4, 8], ids=["4 threads", "8 threads"])
def threaded(request, instance, made, tmp_path_factory):
    if request.param == instance.threads:
        yield instance
        return
    place = tmp_path_factory.mktemp("threaded") / "instance"
    running = copy_of(made, place, threads=request.param).start()
    yield running
    running.stop()


@pytest.mark.parametrize("site", ["", "/Plone"], ids=["Zope", "Plone"])
def test_parallel_increments_of_one_session_are_all_kept(threaded, site):
    browser = Browser(threaded, site=site)
    browser.get("/sess-increment", key="count")
    visitors = [browser.copy() for _ in range(8)]

    def run(number):
        return [visitors[number].get("/sess-increment", key="count", wait="5").status for _ in range(40)]

    statuses = [status for each in together(8, run) for status in each]
    assert int(data(browser)["count"]) == 1 + statuses.count(200)
    assert statuses.count(200) >= 0.999 * len(statuses)


def test_parallel_writers_of_different_keys_lose_nothing(browser):
    browser.get("/sess-increment")
    visitors = [browser.copy() for _ in range(8)]

    def run(number):
        return [visitors[number].get("/sess-increment", key=f"k{number}", wait="5").status for _ in range(20)]

    assert {status for each in together(8, run) for status in each} == {200}
    assert {data(browser)[f"k{number}"] for number in range(8)} == {"20"}


def test_parallel_visitors_with_sessions_of_their_own_lose_nothing(threaded):
    visitors = [Browser(threaded) for _ in range(8)]

    def run(number):
        return [visitors[number].get("/sess-increment", wait="5").json for _ in range(40)]

    assert together(8, run) == [list(range(1, 41))] * 8
    assert len({visitor.cookies["_ZopeId"] for visitor in visitors}) == 8


def test_a_persistent_tree_of_20_000_entries_is_kept_entry_by_entry(browser):
    assert browser.get("/sess-object").json == 20_001
    assert browser.get("/sess-object").json == 20_002
    assert browser.get("/sess-object", step="content").status == 500
    assert browser.get("/sess-object", step="look").json == 20_002

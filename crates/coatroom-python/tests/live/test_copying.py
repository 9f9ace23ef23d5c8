"""A running site moves from its directory to a server, by the words of the guide."""

import program
import pytest
import servers
from instance import Browser
from test_guarantees import sign_in


def seen(browsers):
    found = [browser.get("/sess-read").json for browser in browsers]
    for each in found:
        # It shows where it lies in this process.
        each["data"].pop("tree", None)
    return found


@pytest.mark.parametrize("kind", servers.KINDS)
def test_visitors_go_on_where_they_were_when_their_site_has_moved(fresh, kind):
    site = fresh().start()
    visitor, member = (Browser(site, site="/Plone") for _ in range(2))
    for browser in (visitor, member):
        browser.get("/sess-set", key="cart", value=f"cart {id(browser)}")
        assert browser.get("/sess-increment").json == 1
    sign_in(member)
    size = visitor.get("/sess-object").json
    before = seen([visitor, member])
    assert before[1]["user"] == "member" and before[0]["key"] != before[1]["key"]

    # Stop it, copy them, and name the server.
    site.stop()
    url = servers.fresh_url(kind)
    print(program.copy(url, cwd=site.place))
    site.configure(f"<product-config coatroom>\n    store {url}\n</product-config>")
    site.start()

    assert seen([visitor, member]) == before
    assert visitor.get("/sess-object", step="look").json == size
    assert [browser.get("/sess-increment").json for browser in (visitor, member)] == [2, 2]
    site.stop()
    assert url.split("?")[0].rpartition("@")[2] in site.coatroom_zope("status").stdout

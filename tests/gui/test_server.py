"""The running app from outside the browser: who is answered, and what answers say."""

import subprocess
import sys

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1.evil.example:{port}", ""]
)
def test_other_names_of_this_machine_are_refused(app, host):
    port = app.address.rpartition(":")[2]
    answer = requests.get(app.address, headers={"Host": host.format(port=port)}, timeout=30)

    assert answer.status_code in (400, 403)
    assert "Scripts" not in answer.text


def test_requests_of_other_sites_are_refused(app):
    assert requests.get(app.address, headers={"Origin": "https://evil.example"}, timeout=30).status_code == 403
    assert requests.get(app.address, headers={"Origin": "null"}, timeout=30).status_code == 403
    assert requests.get(app.address, headers={"Origin": app.address}, timeout=30).status_code == 200


def test_sockets_of_other_sites_are_refused(app):
    address = app.address.replace("http", "ws") + "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    with connect(address, origin=app.address) as socket:
        assert socket.recv(timeout=30)

    with pytest.raises(InvalidStatus):
        connect(address, origin="https://evil.example")
    with pytest.raises(InvalidStatus):
        connect(address, origin=app.address, additional_headers={"Host": "evil.example"})


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_addresses_are_for_reading(app, method):
    assert requests.request(method, f"{app.address}/reports", timeout=30).status_code == 403


def test_pages_forbid_scripts_of_others(app):
    answer = requests.get(app.address, timeout=30)
    policy = answer.headers["Content-Security-Policy"]
    scripts = next(part for part in policy.split(";") if part.strip().startswith("script-src"))

    assert "'unsafe-inline'" not in scripts and "'nonce-" in scripts
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert app.token not in answer.text


def test_two_pages_have_different_nonces(app):
    first, second = (requests.get(app.address, timeout=30).headers["Content-Security-Policy"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize("key", ["..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "0" * 16])
def test_no_address_names_a_path(app, key):
    assert requests.get(f"{app.address}/report/{key}", timeout=30).status_code in (403, 404)


def test_the_app_listens_on_the_loopback_only(app):
    from pathlib import Path

    port = f":{int(app.address.rpartition(':')[2]):04X}"
    tables = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
    listening = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    assert {fields[1] for fields in listening if fields[3] == "0A" and fields[1].endswith(port)} == {f"0100007F{port}"}


@pytest.mark.parametrize(
    ("settings", "cause"),
    [("{", "the settings are wrong"), ('{"home": "/x", "port": 70000}', "port 70000"),
     ('{"home": "/x", "page": "chatgpt"}', "there is no page")],
)  # fmt: skip
def test_settings_that_cannot_be_served_are_named(settings, cause):
    done = subprocess.run([sys.executable, "-c", _MAIN, settings], capture_output=True, text=True, timeout=60)

    assert done.returncode == 1
    assert cause in done.stderr and "Traceback" not in done.stderr


_MAIN = """
import sys
sys.path[:0] = ["automation/experiment", "automation/script"]
from cm4bench_gui.__main__ import main
sys.exit(main(sys.argv[1:]))
"""

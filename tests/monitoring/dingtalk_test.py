#!/usr/bin/env python3
"""The relay to DingTalk against a robot that is not there: form, signature, errors, size."""

import contextlib
import http.server
import io
import json
import pathlib
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "monitoring" / "alertmanager"))

import dingtalk

ALERT = {
    "status": "firing", "labels": {"alertname": "KioskMissing", "site": "museum", "severity": "critical", "instance": "lobby"},
    "annotations": {"summary": "lobby is missing", "summary_zh": "lobby 失联", "runbook_url": "https://example.com/#kioskmissing"},
}
GROUP = {"status": "firing", "commonLabels": ALERT["labels"], "truncatedAlerts": 0, "alerts": [ALERT, ALERT | {"status": "resolved"}]}


class Robot(http.server.BaseHTTPRequestHandler):
    received, answer = [], {"errcode": 0, "errmsg": "ok"}

    def do_POST(self):
        Robot.received.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        body = json.dumps(Robot.answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def post(relay, body):
    """The status and the text of the reply."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{relay.server_address[1]}/", body, timeout=10) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def main():
    robot = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Robot)
    relay = dingtalk.server("127.0.0.1:0", f"http://127.0.0.1:{robot.server_address[1]}/robot/send?access_token=t", "SECRET")
    for each in (robot, relay):
        threading.Thread(target=each.serve_forever, daemon=True).start()

    assert post(relay, json.dumps(GROUP).encode()) == (200, "delivered\n")
    path, sent = Robot.received[-1]
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)
    assert query["access_token"] == ["t"] and len(query["sign"][0]) == 44 and len(query["timestamp"][0]) == 13, query
    assert sent["msgtype"] == "markdown" and sent["markdown"]["title"] == "KioskMissing (firing)", sent
    for part in ("【严重】museum", "【已恢复】museum", "lobby 失联", "lobby is missing", "https://example.com/#kioskmissing"):
        assert part in sent["markdown"]["text"], (part, sent)
    # HMAC-SHA256 of "TIMESTAMP\nSECRET" with the secret as key, by the robot's rules.
    assert dingtalk.signed("u", "", 1) == "u"
    assert dingtalk.signed("https://x/?a=1", "s", 1).startswith("https://x/?a=1&timestamp=1000&sign=")

    # Many alerts: what does not fit is counted, not cut in the middle.
    post(relay, json.dumps(GROUP | {"alerts": [ALERT] * 2000, "truncatedAlerts": 7}).encode())
    text = Robot.received[-1][1]["markdown"]["text"]
    shown = text.count("lobby is missing")
    assert len(text.encode()) < 20_000 and f"另有 {2007 - shown} 条" in text, text[-200:]

    # The robot says no with status 200; Alertmanager must hear that, so that it tries again.
    Robot.answer = {"errcode": 310000, "errmsg": "sign not match"}
    with contextlib.redirect_stderr(io.StringIO()):
        code, said = post(relay, json.dumps(GROUP).encode())
        assert code == 502 and "sign not match" in said and "access_token" not in said, said
        robot.shutdown()
        robot.server_close()
        code, said = post(relay, json.dumps(GROUP).encode())
        assert code == 502 and "access_token" not in said, said
        for broken in (b"{", b"[]", b'{"alerts": 3, "status": ""}', b'{"alerts": [{}], "status": "firing"}', b"null"):
            count = len(Robot.received)
            assert post(relay, broken)[0] == 400, broken
            assert len(Robot.received) == count
    relay.shutdown()
    print("the relay to DingTalk is sound")


if __name__ == "__main__":
    main()

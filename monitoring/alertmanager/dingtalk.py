#!/usr/bin/env python3
"""Turns Alertmanager's webhook into the form that DingTalk's robots take, and hands it on.

    DINGTALK_URL='https://oapi.dingtalk.com/robot/send?access_token=…' DINGTALK_SECRET=SEC… \\
        monitoring/alertmanager/dingtalk.py [--listen 127.0.0.1:8060]

Alertmanager sends JSON of its own form; a robot takes {"msgtype": "markdown", …}, signed with its secret, and at
most 20 messages a minute. It answers 200 with an error in the body, so that is what is looked at: Alertmanager gets
502 and tries again. DINGTALK_SECRET may be left out if the robot is protected by a keyword or an address. The
address and the secret are read from the environment, so that they stand in no list of processes and in no log.
"""

import argparse
import base64
import hashlib
import hmac
import http.server
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

# What Alertmanager may send, and what a robot takes, in bytes.
LARGEST_REQUEST = 4 << 20
LARGEST_MESSAGE = 18_000
SEVERITIES = {"critical": "严重", "warning": "警告"}


def message(group):
    """The robot's form of a group of alerts: Chinese first, then English, with the runbook's address."""
    blocks = []
    for alert in group["alerts"]:
        labels, notes = alert.get("labels", {}), alert.get("annotations", {})
        state = SEVERITIES.get(labels.get("severity"), "告警") if alert["status"] == "firing" else "已恢复"
        lines = [f"**【{state}】{labels.get('site', '中心')}**", notes.get("summary_zh", ""), notes.get("summary", labels.get("alertname", ""))]
        if alert["status"] == "firing":
            lines.append(f"[处理办法 / what to do]({notes.get('runbook_url', '')})")
        blocks.append("\n\n".join(line for line in lines if line))
    text, left = "", len(blocks)
    for block in blocks:
        if len((text + block).encode()) > LARGEST_MESSAGE:
            break
        text, left = text + block + "\n\n---\n\n", left - 1
    left += group.get("truncatedAlerts", 0)
    if left:
        text += f"… 另有 {left} 条 / and {left} more"
    title = f"{group.get('commonLabels', {}).get('alertname', 'alerts')} ({group['status']})"
    return {"msgtype": "markdown", "markdown": {"title": title, "text": text}}


def signed(url, secret, now):
    """The robot's address with the time and its signature, good for an hour."""
    if not secret:
        return url
    stamp = str(round(now * 1000))
    digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    return url + ("&" if "?" in url else "?") + urllib.parse.urlencode({"timestamp": stamp, "sign": base64.b64encode(digest)})


def deliver(url, secret, group):
    """Sends a group; raises OSError or ValueError with what went wrong, never with the address."""
    body = json.dumps(message(group)).encode()
    request = urllib.request.Request(signed(url, secret, time.time()), body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        answer = json.loads(reply.read(65536))
    if answer.get("errcode"):
        raise ValueError(f"DingTalk refused it: {answer.get('errcode')} {answer.get('errmsg')}")


class Handler(http.server.BaseHTTPRequestHandler):
    """Takes what Alertmanager posts."""

    timeout = 15

    def do_POST(self):
        try:
            length = int(self.headers.get("Content-Length", ""))
            if not 0 < length <= LARGEST_REQUEST:
                raise ValueError(f"{length} bytes")
            group = json.loads(self.rfile.read(length))
            # What is broken is told before anything is sent.
            message(group)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.reply(400, f"not a message of Alertmanager's webhook: {error!r}")
            return
        try:
            deliver(self.server.robot, self.server.secret, group)
        except (OSError, ValueError) as error:
            self.reply(502, f"not delivered: {error}")
        else:
            self.reply(200, "delivered")

    def reply(self, code, text):
        if code != 200:
            print(text, file=sys.stderr, flush=True)
        body = (text + "\n").encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def server(address, url, secret):
    """The server, not yet running."""
    host, _, port = address.rpartition(":")
    made = http.server.ThreadingHTTPServer((host, int(port)), Handler)
    made.robot, made.secret = url, secret
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1:8060", metavar="ADDRESS", help="default: %(default)s")
    options = parser.parse_args()
    url = os.environ.get("DINGTALK_URL", "")
    if not url.startswith(("https://", "http://127.0.0.1")):
        sys.exit("DINGTALK_URL must be the robot's address: https://oapi.dingtalk.com/robot/send?access_token=…")
    print(f"listening on http://{options.listen}/", flush=True)
    try:
        server(options.listen, url, os.environ.get("DINGTALK_SECRET", "")).serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()

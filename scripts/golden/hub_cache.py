"""Checks by hand that Lexray and huggingface_hub share a cache.

    node scripts/build.mjs
    python scripts/golden/hub_cache.py          # versions: requirements.txt beside this file

Serves test/fixtures/tiny-model as org/tiny, large files from a second port as the hub does, and checks:
* what `lexray pull` fetched, huggingface_hub, transformers and sentence-transformers find offline, and `scan_cache_dir`
  has nothing to complain of
* what huggingface_hub fetched, `lexray pull` finds, offline and online, and fetches none of it again
* both at the same time, in one cache
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

root = Path(__file__).resolve().parents[2]
tiny = root / "test" / "fixtures" / "tiny-model"
commit = "5" * 40
files = {path.relative_to(tiny).as_posix(): path.read_bytes() for path in sorted(tiny.rglob("*")) if path.is_file()}
files["README.md"] = b"---\nlicense: mit\n---\n"
files["onnx/model.onnx"] = b"not needed" * 1000
wanted = sorted(name for name in files if not name.startswith("onnx/"))


def is_large(name):
    return name.endswith((".safetensors", ".onnx"))


def etag(name):
    content = files[name]
    if is_large(name):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        self.server.log.append(f"{self.command} {self.path}")

    def answer(self, status, headers=(), body=b""):
        self.send_response(status)
        headers = {"Content-Length": str(len(body)), **dict(headers)}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_file(self, name, headers):
        body, status = files[name], 200
        if range_ := self.headers.get("Range"):
            start, end = range_.removeprefix("bytes=").split("-")
            last = int(end) if end else len(body) - 1
            headers = {**headers, "Content-Range": f"bytes {start}-{last}/{len(body)}"}
            body, status = body[int(start) : last + 1], 206
        self.answer(status, {**headers, "Accept-Ranges": "bytes"}, body)

    def do_GET(self):
        parts = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path).split("/")
        if self.server.store is None:
            return self.send_file("/".join(parts[1:]), {})
        if parts[1:5] == ["api", "models", "org", "tiny"]:
            if len(parts) > 5 and parts[5] == "tree":
                value = [
                    {"type": "file", "path": name, "size": len(content), "oid": etag(name)[:40]}
                    | ({"lfs": {"oid": etag(name), "size": len(content), "pointerSize": 130}} if is_large(name) else {})
                    for name, content in files.items()
                ]
            else:
                siblings = [{"rfilename": name, "size": len(content)} for name, content in files.items()]
                value = {"id": "org/tiny", "modelId": "org/tiny", "sha": commit, "siblings": siblings, "private": False}
                value |= {"tags": [], "downloads": 0, "likes": 0, "pipeline_tag": None, "library_name": None}
            return self.answer(200, {"Content-Type": "application/json"}, json.dumps(value).encode())
        name = "/".join(parts[5:])
        if parts[1:4] != ["org", "tiny", "resolve"] or name not in files:
            return self.answer(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
        headers = {"ETag": f'"{etag(name)}"', "X-Repo-Commit": commit}
        if not is_large(name):
            return self.send_file(name, headers)
        linked = {"X-Linked-Etag": f'"{etag(name)}"', "X-Linked-Size": str(len(files[name]))}
        return self.answer(302, {**headers, **linked, "Location": f"{self.server.store}/{name}"})

    do_HEAD = do_GET


def serve(store):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.store, server.log = store, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


def environment(home, endpoint, offline=False):
    hidden = ("HF_", "HUGGING", "TRANSFORMERS_", "XDG_CACHE")
    env = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
    return env | {"HF_HOME": str(home), "HF_ENDPOINT": endpoint, "HF_HUB_OFFLINE": "1" if offline else "0"}


def lexray(env, wait=True):
    command = ["node", str(root / "dist" / "cli" / "main.js"), "pull", "org/tiny", "--json"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    return json.loads(process.communicate()[0]) if wait else process


def python(code, env, wait=True):
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], env=env, stdout=subprocess.PIPE, text=True)
    if not wait:
        return process
    output = process.communicate()[0]
    check(process.returncode == 0, f"python ends with {process.returncode}: {code[:200]}")
    return output


def check(condition, message):
    if not condition:
        sys.exit(f"FAILED: {message}")


find_all = f"""
import json, huggingface_hub as h
info = h.scan_cache_dir()
import sys
paths = {{name: h.hf_hub_download('org/tiny', name) for name in {wanted!r}}}
repo = next(iter(info.repos))
print(json.dumps({{'paths': paths, 'warnings': [str(w) for w in info.warnings], 'refs': sorted(repo.refs), 'files': repo.nb_files,
                  'folder': h.snapshot_download('org/tiny', allow_patterns={wanted!r})}}))
"""
use = """
import torch
torch.set_num_threads(1)
from transformers import AutoModelForMaskedLM, AutoTokenizer
from sentence_transformers import SparseEncoder
AutoModelForMaskedLM.from_pretrained('org/tiny'); AutoTokenizer.from_pretrained('org/tiny')
vectors = SparseEncoder('org/tiny', device='cpu').encode(['rain in the city'], convert_to_sparse_tensor=False)
print((vectors > 0).sum().item())
"""
fetch = f"import huggingface_hub as h; print(h.snapshot_download('org/tiny', allow_patterns={wanted!r}))"


def main():
    store, store_url = serve(None)
    hub, url = serve(store_url)
    with tempfile.TemporaryDirectory() as folder:
        a, b, c = (Path(folder) / name for name in "abc")

        pulled = lexray(environment(a, url))
        check(sorted(pulled["files"]) == wanted, "lexray fetches what is wanted")
        found = json.loads(python(find_all, environment(a, url, offline=True)))
        check(found["warnings"] == [] and found["refs"] == ["main"] and found["files"] == len(wanted), f"scan: {found}")
        check(found["folder"] == pulled["folder"], "huggingface_hub has the same folder")
        for name, path in found["paths"].items():
            check(Path(path).read_bytes() == files[name], f"huggingface_hub reads {name}")
        active = int(python(use, environment(a, url, offline=True)))
        hub.log.clear()
        check(python(fetch, environment(a, url)).strip() == pulled["folder"], "huggingface_hub online, too")
        check(not [line for line in hub.log if line.startswith("GET") and "resolve" in line], "and fetches nothing again")

        python(fetch, environment(b, url))
        hub.log.clear()
        offline = lexray(environment(b, url, offline=True))
        check(offline["bytesFetched"] == 0 and sorted(offline["files"]) == wanted and not hub.log, "lexray finds it offline")
        online = lexray(environment(b, url))
        check(online["folder"] == offline["folder"] and online["bytesFetched"] == 0, "lexray finds it online")

        processes = [lexray(environment(c, url), wait=False) for _ in range(2)]
        processes += [python(fetch, environment(c, url), wait=False) for _ in range(2)]
        check([process.wait() for process in processes] == [0] * 4, "four at the same time")
        snapshot = c / "hub" / "models--org--tiny" / "snapshots" / commit
        for name in wanted:
            check((snapshot / name).read_bytes() == files[name], f"at the same time: {name}")
        blobs = list((c / "hub" / "models--org--tiny" / "blobs").iterdir())
        check(len(blobs) == len({etag(name) for name in wanted}), f"at the same time: {blobs}")
    import huggingface_hub

    print(f"huggingface_hub {huggingface_hub.__version__}: {len(wanted)} files, {active} active dimensions; all checks passed")


if __name__ == "__main__":
    main()

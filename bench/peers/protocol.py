"""The line protocol between a bench and a peer, and what every peer reports of itself.

The peer prints one JSON line `{"ready": true, ...}`, then answers each line of its standard input: the command given to `serve`
(`step` or `encode`) runs once and prints one JSON line with `ms` (wall time) and `cpu_ms` (time of all threads); `quit`, or the
end of the input, prints `{"done": true, "peak_rss": BYTES}`. So a bench can run itself and its peers in turns.
"""

import json
import resource
import sys
import time


def say(message):
    sys.stdout.write(json.dumps(message, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def peak_rss():
    """Bytes; getrusage counts KiB, on macOS bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def versions():
    import sentence_transformers
    import torch
    import transformers

    return {
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "sentence-transformers": sentence_transformers.__version__,
        "threads": torch.get_num_threads(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
    }


def timed(work):
    """The result of work(), a dict, with its times."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return {"ms": 1000 * (time.perf_counter() - wall), "cpu_ms": 1000 * (time.process_time() - cpu), **result}


def serve(command, work, described):
    say({"ready": True, **described, **versions(), "peak_rss": peak_rss()})
    for line in sys.stdin:
        asked = line.strip()
        if asked == command:
            say(timed(work))
        elif asked == "quit":
            break
        elif asked:
            say({"error": f"expected {command} or quit, not {asked[:40]!r}"})
    say({"done": True, "peak_rss": peak_rss()})


def run(command, work, described, warmup, count):
    """The same without a driver: one line with all times after the warm-up."""
    first = [timed(work) for _ in range(warmup)]
    rest = [timed(work) for _ in range(count)]
    times = sorted(entry["ms"] for entry in rest)
    say(
        {
            **described,
            **versions(),
            f"{command}_ms": [round(entry["ms"], 1) for entry in rest],
            "median_ms": round(times[len(times) // 2], 1),
            "cpu_ms": [round(entry["cpu_ms"], 1) for entry in rest],
            "results": [{k: v for k, v in entry.items() if k not in ("ms", "cpu_ms")} for entry in [*first, *rest]],
            "peak_rss": peak_rss(),
        }
    )


def answer(command, work, described, warmup, count):
    """Without a driver where a count is given, else with one."""
    if count:
        run(command, work, described, warmup, count)
    else:
        serve(command, work, described)

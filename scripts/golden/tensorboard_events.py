"""Makes test/fixtures/goldens/tensorboard: event files as the tensorboard package writes them, and what it reads from them.

    pip install tensorboard==2.20.0
    python scripts/golden/tensorboard_events.py
    python scripts/golden/tensorboard_events.py FOLDER    # reads the event files of a run instead, and prints them

The files are a run that was killed after step 5 and resumed from step 3: TensorBoard must forget steps 4 and 5 of the first.
"""

import json
import pathlib
import shutil
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.summary.writer.record_writer import RecordWriter

START = 1_700_000_000.25
STARTS = [
    {"name": "first", "firstStep": 1, "rows": [[step, {"train/loss": 10 / step, "train/grad_norm": 0.1 * step}] for step in range(1, 6)]},
    {"name": "resumed", "firstStep": 4, "rows": [
        [4, {"train/loss": 2.25, "train/grad_norm": 0.0}],
        [5, {"train/loss": float("inf"), "train/grad_norm": 1e-30}],
        [5, {"eval/dot_ndcg@10": 0.3125, "eval/λ": -1.5}],
        [100_000, {"train/loss": 1e-3}],
    ]},
]


def write(path, start, first):
    with open(path, "wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=START, file_version="brain.Event:2").SerializeToString())
        if not first:
            log = SessionLog(status=SessionLog.START)
            writer.write(Event(wall_time=START, step=start["firstStep"], session_log=log).SerializeToString())
        for step, scalars in start["rows"]:
            values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
            writer.write(Event(wall_time=START, step=step, summary=Summary(value=values)).SerializeToString())


def read(folder):
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    return {tag: [[event.step, event.value] for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def main():
    if len(sys.argv) > 1:
        print(json.dumps(read(sys.argv[1]), indent=1))
        return
    out = pathlib.Path(__file__).parents[2] / "test/fixtures/goldens/tensorboard"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for i, start in enumerate(STARTS):
        write(out / f"events.out.tfevents.{int(START) + i}.{start['name']}.bin", start, i == 0)
    checksums = [[text, masked_crc32c(text.encode())] for text in ("", "a", "123456789", "λ" * 300)]
    content = {"wallTime": START, "starts": STARTS, "read": read(out), "maskedChecksums": checksums}
    # JSON has no infinity: 1e999 is read as one.
    (out / "golden.json").write_text(json.dumps(content, indent=1).replace("Infinity", "1e999") + "\n")


if __name__ == "__main__":
    main()

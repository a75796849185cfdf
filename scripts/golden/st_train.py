"""Does an exported training run train? Run by hand on a folder that `lexray export --to st-train` wrote.

    python scripts/golden/st_train.py RUN [--steps 3] [--processes 2]     several processes on CPU need transformers 5

Works with sentence-transformers 5.0.0 (transformers 4.56.2, datasets 4.0.0, accelerate 1.15.0) to 6.2.0 (transformers
5.23.0, datasets 5.2.0, accelerate 1.15.0), on CPU and without the hub. It runs RUN/train.py for a few steps in a folder of
its own, and checks from the trainer's own record that the recipe came through: the learning rate and the weights of FLOPS of
every step against the formulas, and that the trained model moved, is finite, opens, and encodes. Prints one JSON line, and
exits with 1 if anything is off.
"""

import argparse
import ast
import importlib.util
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def load_script(path):
    """The script as a module: its values, without running it."""
    spec = importlib.util.spec_from_file_location("train", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def expected(script, step, steps):
    """Learning rate logged after step `step` (from 1), and the two weights of FLOPS used in it."""
    warmup = math.ceil(steps * script.WARMUP_RATIO)
    rate = step / warmup if step < warmup else (steps - step) / max(1, steps - warmup)
    ramp = max(1, int(steps * script.RAMP_RATIO))
    share = min(1, (step - 1) / ramp) ** 2
    # The learning rate of a row is that of the step just taken in transformers 4 and 5: before the scheduler moves on.
    before = (step - 1) / warmup if step - 1 < warmup else (steps - step + 1) / max(1, steps - warmup)
    return {rate * script.LEARNING_RATE, before * script.LEARNING_RATE}, share * script.LAMBDA_Q, share * script.LAMBDA_D


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    os.environ.update(HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
    script = load_script(arguments.run / "train.py")
    import sentence_transformers
    import torch
    import transformers

    problems = []
    row_count = len(script.read_rows())
    with tempfile.TemporaryDirectory() as folder:
        # Every step is logged, which the script itself does not do.
        copy = Path(folder) / "run"
        copy.mkdir()
        for entry in arguments.run.resolve().iterdir():
            if entry.name != "train.py":
                (copy / entry.name).symlink_to(entry)
        text = (arguments.run / "train.py").read_text(encoding="utf-8")
        (copy / "train.py").write_text(text.replace(f"LOG_EVERY = {script.LOG_EVERY} ", "LOG_EVERY = 1 "), encoding="utf-8")
        starter = [sys.executable]
        if arguments.processes > 1:
            starter += ["-m", "torch.distributed.run", "--nproc-per-node", str(arguments.processes), "--master-port", "29517"]
        command = [*starter, str(copy / "train.py"), "--max-steps", str(arguments.steps), "--output", str(copy / "out")]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        # The weights of FLOPS are only in what is printed, rounded to four figures in transformers 5.
        printed = [ast.literal_eval(row) for row in re.findall(r"\{[^{}]*'loss':[^{}]*\}", output)]
        checkpoint = copy / "out.checkpoints" / f"checkpoint-{arguments.steps}"
        history = json.loads((checkpoint / "trainer_state.json").read_text())["log_history"]
        rows = [row for row in history if "loss" in row]
        if [row["step"] for row in rows] != list(range(1, arguments.steps + 1)):
            problems.append(f"expected a row for each step, got {[row['step'] for row in rows]}")
        if len(printed) != len(rows):
            problems.append(f"{len(printed)} rows printed for {len(rows)} steps: the processes do not train together")
        for row, weights in zip(rows, printed):
            rates, lambda_q, lambda_d = expected(script, row["step"], arguments.steps)
            if not any(math.isclose(row["learning_rate"], rate, rel_tol=1e-6, abs_tol=1e-12) for rate in rates):
                problems.append(f"step {row['step']}: learning rate {row['learning_rate']}, expected one of {sorted(rates)}")
            for name, value in (("query", lambda_q), ("document", lambda_d)):
                got = float(weights[f"{name}_regularizer_weight"])
                if not math.isclose(got, value, rel_tol=1e-3, abs_tol=1e-12):
                    problems.append(f"step {row['step']}: {name} weight {got}, expected {value}")
            rows_seen = row["epoch"] * row_count
            if not math.isclose(rows_seen, row["step"] * script.BATCH_SIZE * script.ACCUMULATION * arguments.processes, rel_tol=0.01, abs_tol=1):
                problems.append(f"step {row['step']}: {rows_seen} rows seen by {arguments.processes} processes")
            if not math.isfinite(row["loss"]):
                problems.append(f"step {row['step']}: the loss is {row['loss']}")

        before = sentence_transformers.SparseEncoder(str(arguments.run / "model"))
        after = sentence_transformers.SparseEncoder(str(copy / "out"))
        old, new = before.state_dict(), after.state_dict()
        moved = max((new[name] - old[name]).abs().max().item() for name in old)
        if not 0 < moved <= 2 * arguments.steps * script.LEARNING_RATE:
            problems.append(f"weights moved by {moved}: AdamW moves them by at most about the learning rate a step")
        if any(tensor.dtype != torch.float32 for tensor in new.values() if tensor.is_floating_point()):
            problems.append("weights are not float32")
        if after.max_seq_length != script.MAX_LENGTH:
            problems.append(f"max_seq_length is {after.max_seq_length}, expected {script.MAX_LENGTH}")
        vector = after.encode_query(["how warm is the rain"], convert_to_sparse_tensor=False)[0]
        if not torch.isfinite(vector).all() or not (vector > 0).any():
            problems.append("the trained model does not encode")
    print(
        json.dumps(
            {
                "sentence_transformers": sentence_transformers.__version__,
                "transformers": transformers.__version__,
                "processes": arguments.processes,
                "losses": [row["loss"] for row in rows],
                "moved": moved,
                "problems": problems,
            }
        )
    )
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()

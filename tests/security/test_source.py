# SPDX-License-Identifier: Apache-2.0
"""No file in the tree loads code, goes through a shell or lets media reach out; and the rules notice it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.security import rules

ROOT = Path(__file__).parents[2]
FILES = sorted(path for root in rules.ROOTS for path in (ROOT / root).rglob("*.py"))


def test_no_file_breaks_a_rule() -> None:
    found: list[str] = []
    for path in FILES:
        name = path.relative_to(ROOT)
        broken = rules.broken_rules(path.read_text(encoding="utf-8"), in_tests=name.parts[0] == "tests")
        found += [f"{name} {text}" for text in broken]
    assert found == []


def test_the_whole_tree_is_looked_at() -> None:
    assert len(FILES) > 150
    seen = {path.relative_to(ROOT).parts[0] for path in FILES}
    assert seen == set(rules.ROOTS)


def test_media_is_opened_for_reading_in_one_place() -> None:
    readers = []
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        if "tests" not in path.parts and '"protocol_whitelist"' in text:
            readers.append(path.relative_to(ROOT).as_posix())
    assert readers == ["flowanchor_core/footage/media.py"]


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import torch\ntorch.load('x')",
        "from torch import load",
        "read = torch.load",
        "import yaml",
        "eval('1')",
        "run = exec",
        "__import__('os')",
        "import os\nos.system('ls')",
        "subprocess.run('ls', shell=True)",
        "subprocess.run('ls', shell=wanted)",
        "options = {'shell': True}",
        "asyncio.create_subprocess_shell('ls')",
        "AutoModel.from_pretrained(x, use_safetensors=True, trust_remote_code=True)",
        "options = {'trust_remote_code': True}",
        "AutoModel.from_pretrained(x)",
        "AutoModel.from_pretrained(x, use_safetensors=False)",
        "T5TokenizerFast.from_pretrained(x)",
        "model.save_pretrained(x, safe_serialization=False)",
        "np.load(x, allow_pickle=True)",
        "av.open(path)",
        "av.open(path, 'r')",
        "av.open(path, mode='r')",
        "av.open(path, options={'protocol_whitelist': 'file,http'})",
        "PROTOCOLS: Final = 'file,https,tcp'",
        "PROTOCOLS = 'all'",
        "tempfile.mktemp()",
        "cv2.VideoCapture(0)",
        "requests.get(url, verify=False)",
    ],
)
def test_the_rules_notice(source: str) -> None:
    assert rules.broken_rules(source)


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "re.compile('x')",
        "subprocess.run(['ls'], shell=False)",
        "av.open(path, 'w')",
        "av.open(file, mode='w', format='mov')",
        "av.open(path, mode='r', options={'protocol_whitelist': 'file'})",
        "load('x')",
        "names = {'shell': '; rm x'}",
        "vae.from_pretrained(x, use_safetensors=True)",
        "PROTOCOLS: Final = 'file'",
    ],
)
def test_the_rules_let_pass(source: str) -> None:
    assert rules.broken_rules(source) == []


def test_tests_may_make_what_the_product_refuses() -> None:
    assert rules.broken_rules("import pickle\nav.open(path)", in_tests=True) == []
    assert rules.broken_rules("subprocess.run('ls', shell=True)", in_tests=True)

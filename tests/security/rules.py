# SPDX-License-Identifier: Apache-2.0
"""What no source file of this project may do, as rules over its syntax."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

ROOTS = ("flowanchor_core", "proto", "addons", "daemon", "installers", "tests")

_MODULES = {
    "pickle": "unpickling runs code",
    "_pickle": "unpickling runs code",
    "dill": "unpickling runs code",
    "cloudpickle": "unpickling runs code",
    "joblib": "it unpickles",
    "shelve": "it unpickles",
    "marshal": "it reads code",
    "yaml": "yaml.load makes objects",
    "xmlrpc": "it opens entities",
    "telnetlib": "it sends in the clear",
    "ftplib": "it sends in the clear",
    "imageio": "pictures are decoded by footage/media.py alone",
    "PIL": "pictures are decoded by footage/media.py alone",
}
_BUILTINS = {"eval", "exec", "compile", "__import__"}
_CALLS = {
    "torch.load": "it unpickles",
    "torch.jit.load": "it runs a program",
    "torch.hub.load": "it runs code from the network",
    "torch.package": "it runs code",
    "os.system": "it goes through a shell",
    "os.popen": "it goes through a shell",
    "subprocess.getoutput": "it goes through a shell",
    "subprocess.getstatusoutput": "it goes through a shell",
    "asyncio.create_subprocess_shell": "it goes through a shell",
    "tempfile.mktemp": "another program can take the name",
    "cv2.imread": "pictures are decoded by footage/media.py alone",
    "cv2.imdecode": "pictures are decoded by footage/media.py alone",
    "cv2.VideoCapture": "clips are opened by footage/media.py alone",
    "ssl._create_unverified_context": "it trusts anyone",
}
_KEYWORDS: dict[str, object] = {
    # keyword -> the one value it may have
    "shell": False,
    "trust_remote_code": False,
    "allow_pickle": False,
    "use_safetensors": True,
    "safe_serialization": True,
    "weights_only": True,
    "verify": True,
}

_OPTIONS = {"shell", "trust_remote_code", "allow_pickle"}

Rule = Callable[[ast.AST], Iterator[str]]


def dotted(node: ast.AST) -> str:
    """ "a.b.c" of a chain of names, "" of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def banned_imports(node: ast.AST) -> Iterator[str]:
    for module in imported(node):
        reason = _MODULES.get(module.partition(".")[0])
        if reason is not None:
            yield f"imports {module}: {reason}"
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        for alias in node.names:
            name = f"{node.module}.{alias.name}"
            if name in _CALLS:
                yield f"imports {name}: {_CALLS[name]}"


def banned_names(node: ast.AST) -> Iterator[str]:
    """Any mention of a banned function counts, not only a call: it could be passed on."""
    if isinstance(node, ast.Attribute) and (name := dotted(node)) in _CALLS:
        yield f"uses {name}: {_CALLS[name]}"
    if isinstance(node, ast.Name) and node.id in _BUILTINS:
        yield f"uses {node.id}: it runs text as code"


def banned_keywords(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    for keyword in node.keywords:
        if keyword.arg in _KEYWORDS:
            allowed = _KEYWORDS[keyword.arg]
            if not (isinstance(keyword.value, ast.Constant) and keyword.value.value is allowed):
                yield f"calls {dotted(node.func) or 'something'} with {keyword.arg} other than {allowed}"


def dangerous_options(node: ast.AST) -> Iterator[str]:
    """The same options given as a mapping."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            named = isinstance(key, ast.Constant) and key.value in _OPTIONS
            harmless = isinstance(value, ast.Constant) and (
                value.value is False or isinstance(value.value, str)
            )
            if named and not harmless:
                yield f"has an option {ast.unparse(key or node)}"


def unchecked_weights(node: ast.AST) -> Iterator[str]:
    """`from_pretrained` falls back to pickled weights and to the network unless it is told not to."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "from_pretrained"
    ):
        given = {keyword.arg for keyword in node.keywords}
        wanted = "local_files_only" if "Tokenizer" in dotted(node.func) else "use_safetensors"
        if wanted not in given and None not in given:
            yield f"calls {dotted(node.func)} without {wanted}"


def open_protocols(node: ast.AST) -> Iterator[str]:
    """FFmpeg's lists of what it may open, wherever they are written down: files and pipes, nothing else."""
    pairs: list[tuple[object, ast.expr]] = []
    if isinstance(node, ast.Dict):
        pairs = [
            (key.value, value)
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant)
        ]
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        pairs = [("protocol_whitelist", node.value) for target in targets if "PROTOCOL" in dotted(target)]
    for key, value in pairs:
        if key == "protocol_whitelist" and isinstance(value, ast.Constant):
            more = set(str(value.value).split(",")) - {"file", "pipe"}
            if more:
                yield f"lets media be opened through {', '.join(sorted(more))}"


def unguarded_open(node: ast.AST) -> Iterator[str]:
    """Media is opened for reading with an allow-list of protocols and formats (footage/media.py)."""
    if isinstance(node, ast.Call) and dotted(node.func) == "av.open":
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        mode = given.get("mode") or (node.args[1] if len(node.args) > 1 else None)
        writes = isinstance(mode, ast.Constant) and mode.value == "w"
        if not writes and "options" not in given:
            yield "opens media without an allow-list"


EVERYWHERE: tuple[Rule, ...] = (
    banned_imports,
    banned_names,
    banned_keywords,
    dangerous_options,
    open_protocols,
)
OUR_OWN: tuple[Rule, ...] = (unchecked_weights, unguarded_open)
"""Of the product; tests read back files they have just written."""
ALLOWED_IN_TESTS = ("imports pickle", "uses cv2.imread", "uses cv2.imdecode", "imports PIL")
"""Tests make the files the product must refuse, and look at the pictures it wrote."""


def imported(node: ast.AST) -> Iterator[str]:
    """Modules an import statement names, absolute ones."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        yield node.module


def broken_rules(source: str, in_tests: bool = False) -> list[str]:
    """What a file does that it must not, each with its line."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        for rule in EVERYWHERE if in_tests else (*EVERYWHERE, *OUR_OWN):
            found += [
                f"line {getattr(node, 'lineno', 0)} {text}"
                for text in rule(node)
                if not (in_tests and text.startswith(ALLOWED_IN_TESTS))
            ]
    return found

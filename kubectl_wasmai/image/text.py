"""Images and models for people: plain lines, one fact each.

Names in them were chosen by strangers: nothing that steers a terminal passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kubectl_wasmai.image.quantize import Change

MOST_SHOWN = 8
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024

Fact = tuple[str, str]


def lines(facts: Iterable[Fact]) -> list[str]:
    """``name      value``; a name is shown once for several values."""
    shown, last = [], ""
    for name, value in facts:
        shown.append(f"{name if name != last else '':<12}{harmless(value)}".rstrip())
        last = name
    return shown


def harmless(text: str) -> str:
    """One line without control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def bytes_text(size: int) -> str:
    """``3.0 MiB``"""
    number, unit = float(size), 0
    while number >= _STEP and unit < len(_UNITS) - 1:
        number, unit = number / _STEP, unit + 1
    return f"{number:.1f} {_UNITS[unit]}" if unit else f"{size} B"


def model_facts(card: Mapping[str, Any]) -> list[Fact]:
    """What a model is."""
    facts = [("model", _model_line(card))]
    for kind in ("inputs", "outputs"):
        tensors = card.get(kind) or []
        facts += [(kind[:-1], tensor_text(each)) for each in tensors[:MOST_SHOWN]]
        if len(tensors) > MOST_SHOWN:
            facts.append((kind[:-1], f"and {len(tensors) - MOST_SHOWN} more"))
    if operators := card.get("operators"):
        facts.append(("operators", _counts(operators)))
    if card["format"] == "gguf":
        facts.append(("tokenizer", _tokenizer_line(card)))
    if weights := card.get("weights"):
        facts.append(("weights", ", ".join(f"{k} {bytes_text(v)}" for k, v in weights.items())))
    return facts


def _model_line(card: Mapping[str, Any]) -> str:
    kind = card["format"].upper()
    if card["format"] == "onnx":
        opsets = card.get("opset") or {}
        kind += f" opset {opsets.get('ai.onnx', '?')}"
    if card.get("architecture"):
        kind += f" {card['architecture']}"
    if card.get("quantization"):
        kind += f" {card['quantization']}"
    parameters = f"{card['parameters']:,} parameters" if card.get("parameters") else ""
    origin = f"by {card['producer']}" if card.get("producer") else card.get("name", "")
    return ", ".join(part for part in (kind, parameters, bytes_text(card["size"]), origin) if part)


def _tokenizer_line(card: Mapping[str, Any]) -> str:
    parts = [card.get("tokenizer") or "none"]
    if card.get("vocabulary"):
        parts.append(f"{card['vocabulary']:,} tokens")
    if card.get("contextLength"):
        parts.append(f"context {card['contextLength']:,}")
    parts.append(f"chat template {card.get('chatTemplate') or 'none'}")
    return ", ".join(parts)


def tensor_text(tensor: Mapping[str, Any]) -> str:
    """``images float32[batch,3,224,224]``"""
    shape = tensor.get("shape")
    dimensions = "" if shape is None else f"[{','.join(map(str, shape))}]"
    return f"{tensor['name']} {tensor['dtype']}{dimensions}"


def _counts(counts: Mapping[str, int]) -> str:
    most = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = [f"{name} {count}" for name, count in most[:MOST_SHOWN]]
    more = len(counts) - MOST_SHOWN
    return ", ".join(shown) + (f" and {more} more kinds" if more > 0 else "")


def compiled_fact(platform: str, what: str) -> Fact:
    """The only nodes on which an engine that was compiled ahead of time runs as it should."""
    return "compiled", f"{platform} for {what}: no other version, no lesser processor"


def image_facts(image: Mapping[str, Any]) -> list[Fact]:
    """What an image is, from the report of ``describe_image``."""
    facts = [
        ("name", image["name"]),
        ("digest", image["digest"]),
        ("source", image["source"]),
        ("size", bytes_text(image["size"])),
    ]
    if image["model"]:
        facts += model_facts(image["model"])
    if engine := image["engine"]:
        facts.append(("engine", f"{engine['version']} ({engine['digest'][:19]}…)"))
        for platform, what in engine["compiled"].items():
            facts.append(compiled_fact(platform, what))
        if not engine["compiled"]:
            facts.append(("compiled", "no: runtimes that cannot compile interpret it, slowly"))
    elif image["model"]:
        facts.append(("engine", "none: the model alone"))
    platforms = image["platforms"]
    if platforms:
        words = [*platforms[0]["entrypoint"], *platforms[0]["cmd"]]
        facts += [("command", " ".join(words)), ("user", platforms[0]["user"])] if words else []
    for platform, layers in _by_layers(platforms):
        facts += [("layers", f"{platform}")]
        facts += [
            ("layers", f"  {bytes_text(one['size']):>10}  {one['digest'][:19]}…  {one['title']}")
            for one in layers
        ]
    return facts


def _by_layers(
    platforms: Sequence[Mapping[str, Any]],
) -> Iterable[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Platforms that consist of the same layers, together."""
    groups: dict[tuple[str, ...], tuple[list[str], Sequence[Mapping[str, Any]]]] = {}
    for each in platforms:
        key = tuple(layer["digest"] for layer in each["layers"])
        groups.setdefault(key, ([], each["layers"]))[0].append(each["platform"])
    return [(", ".join(names), layers) for names, layers in groups.values()]


def attached_facts(attached: Sequence[Mapping[str, str]] | None) -> list[Fact]:
    """Signatures and their like; None where no registry was asked."""
    if attached is None:
        return [("signed", "unknown: the registry was not asked (--remote asks it)")]
    if not any("signature" in one["kind"] for one in attached):
        facts = [("signed", "no")]
    else:
        facts = [("signed", "yes; by whom, `kubectl wasmai image verify` says")]
    facts += [
        ("attached", f"{one['kind']} {one['digest'][:19]}… ({one['by']})") for one in attached
    ]
    return facts


def change_facts(changes: Sequence[Change]) -> list[Fact]:
    """What quantizing changed on a sample."""
    return [
        (
            "accuracy",
            (
                f"{one.output}: largest difference {one.largest_difference:.3g} of "
                f"{one.largest_value:.3g}, mean {one.mean_difference:.3g}, same choice "
                f"{one.same_choice:.1%}"
            ),
        )
        for one in changes
    ]

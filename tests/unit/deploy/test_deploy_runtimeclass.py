from __future__ import annotations

import pytest

from kubectl_wasmai.deploy.request import RequestError
from kubectl_wasmai.deploy.runtimeclass import choose
from kubectl_wasmai.errors import InputError

K3S = {name: name for name in ("crun", "lunatic", "nvidia", "spin", "wasmedge", "wasmtime")}


def test_the_only_class_for_wasm_is_taken_and_named() -> None:
    choice = choose(None, {"wasm": "crun", "nvidia": "nvidia", "kata": "kata-qemu"})

    assert (choice.name, choice.handler) == ("wasm", "crun")
    assert choice.note == "using RuntimeClass wasm (handler crun)"


def test_among_several_the_user_chooses() -> None:
    with pytest.raises(RequestError, match=r"--class: crun .*wasmedge .*wasmtime") as raised:
        choose(None, K3S)

    assert "nvidia" not in str(raised.value)


def test_without_any_the_command_that_makes_one_is_told() -> None:
    with pytest.raises(InputError, match=r"can run WebAssembly; it has: nvidia") as raised:
        choose(None, {"nvidia": "nvidia"})

    assert "kubectl apply -f - <<'EOF'" in raised.value.hint


def test_a_class_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(InputError, match=r"RuntimeClass wasn does not exist") as raised:
        choose("wasn", {"wasm": "crun", "gvisor": "runsc"})

    assert "gvisor (handler runsc), wasm (handler crun)" in raised.value.message
    assert "use --class with one of: wasm (handler crun)" in raised.value.hint
    assert "name: wasn" in raised.value.hint


@pytest.mark.parametrize("handler", ["runc", "nvidia", "nvidia-cdi", "runsc", "kata-qemu"])
def test_a_handler_of_native_binaries_is_refused(handler: str) -> None:
    with pytest.raises(InputError, match=f"handler {handler}, which runs native binaries only"):
        choose("x", {"x": handler})


def test_an_unknown_handler_is_the_users_affair() -> None:
    assert choose("x", {"x": "acme"}).handler == "acme"


def test_classes_that_cannot_be_read_are_a_warning_and_no_refusal() -> None:
    choice = choose("wasm", None)

    assert choice.handler is None
    assert "was not checked" in choice.warning


def test_what_cannot_be_read_cannot_be_chosen_from() -> None:
    with pytest.raises(RequestError, match="name the RuntimeClass with --class"):
        choose(None, None)


def test_a_handler_cannot_steer_the_terminal() -> None:
    with pytest.raises(InputError) as raised:
        choose("wasm", {"x": "evil\x1b[2J"})

    assert "\x1b" not in raised.value.message

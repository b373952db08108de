"""A conversation with a Llama model, streamed; or texts that it continues, without a template."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kubectl_wasmai.local.client import CHAT, COMPLETIONS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from kubectl_wasmai.local.client import Client


@dataclass
class Spoken:
    """What one answer took."""

    first_seconds: float = 0.0
    """To the first piece of text."""
    seconds: float = 0.0
    tokens: int = 0

    def text(self) -> str:
        """For people, one line."""
        rate = (self.tokens - 1) / (self.seconds - self.first_seconds) if self.tokens > 1 else 0.0
        shown = f"{self.tokens} tokens, the first after {self.first_seconds:.3f} s"
        return f"{shown}, then {rate:.1f} tokens/s" if rate else shown


@dataclass
class Conversation:
    """Keeps what was said, if the model has a chat template; otherwise every text stands alone."""

    client: Client
    has_template: bool
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of each request: max_tokens, temperature, seed."""
    messages: list[dict[str, str]] = field(default_factory=list)
    last: Spoken = field(default_factory=Spoken)

    def say(self, text: str) -> Generator[str, None, None]:
        """The answer, piece by piece. An answer that is not read to its end is not kept.

        Raises InputError where the engine refuses, Gone where it ended.
        """
        if self.has_template:
            asked = [*self.messages, {"role": "user", "content": text}]
            body: dict[str, Any] = {"messages": asked}
        else:
            body = {"prompt": text}
        body |= {**self.settings, "stream_options": {"include_usage": True}}
        answer = ""
        for piece in self._pieces(body):
            answer += piece
            yield piece
        if self.has_template:
            self.messages = [*asked, {"role": "assistant", "content": answer}]

    def _pieces(self, body: dict[str, Any]) -> Iterator[str]:
        began = time.monotonic()
        self.last = Spoken()
        for chunk in self.client.stream(CHAT if self.has_template else COMPLETIONS, body):
            self.last.seconds = time.monotonic() - began
            if usage := chunk.get("usage"):
                self.last.tokens = usage["completion_tokens"]
            for choice in chunk["choices"]:
                text = choice.get("text") or choice.get("delta", {}).get("content") or ""
                if text:
                    self.last.first_seconds = self.last.first_seconds or self.last.seconds
                    yield text

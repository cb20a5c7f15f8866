"""Rules of ours in the file from which a site's own nftables come back at boot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from gpumon_setup.facts import Look, State
from gpumon_setup.host import Action
from gpumon_setup.resources.block import Block
from gpumon_setup.resources.nftables import Chain, by_hand, by_nft, rule_words
from gpumon_setup.resources.resource import Missing

_BLOCK = "firewall"
_FROM_NOTHING = f"""{{
    echo flush ruleset
    sed '/^# BEGIN gpumon {_BLOCK}/,/^# END gpumon {_BLOCK}/{{/^add /d}}' "$1"
}} | nft -c -f -"""
"""Tries the whole file as at boot, when no chain is there but its own; it changes nothing."""


@dataclass(frozen=True, slots=True)
class KeptRules:
    """A marked block at the end of the file; it stands only where the file itself makes the chains that it adds to."""

    kind: ClassVar[str] = Block.kind
    path: str
    """What nftables.service reads; "" when it is off or reads nothing that could be found."""
    rules: tuple[tuple[Chain, str, int], ...]
    """Each with its chain, the address that is let in, and the port."""

    @property
    def key(self) -> str:
        """That of its block."""
        return self._block.key

    def look(self, state: State) -> Look:
        """The whole file."""
        return self._block.look(state) if self.path else Look()

    def missing(self, state: State) -> Missing | None:
        """Another block than this one, in a file that makes the chains."""
        words = "let the ways through nftables come back at boot"
        if not self.path:
            reason = "nftables let nobody in, and nftables.service, which brings such rules back at boot, is off"
            return Missing(words, obstacle=by_hand(reason, by_nft(self.rules)))
        text = (state.file(self.path).content or b"").decode("utf-8", "replace")
        absent = [rule for rule in self.rules if not _makes(text, rule[0])]
        if absent:
            reason = f"{self.path}, which brings nftables back at boot, does not make the chain {absent[0][0].name}"
            return Missing(words, obstacle=by_hand(reason, by_nft(absent)))
        return self._block.missing(state)

    def actions(self, state: State, component: str) -> tuple[Action, ...]:
        """Only what nft itself takes for a whole ruleset gets to its place."""
        return self._block.actions(state, component)

    @property
    def _block(self) -> Block:
        check = ("sh", "-c", _FROM_NOTHING, "sh", "{}")
        return Block(self.path, _BLOCK, tuple(dict.fromkeys(self._lines())), check)

    def _lines(self) -> Iterator[str]:
        """A file whose chain was renamed one day must still be read as a whole: a firewall that fails lets all in."""
        for chain, source, port in self.rules:
            yield f"add table {chain.family} {chain.table}"
            yield f"add chain {chain.family} {chain.table} {chain.name}"
            yield f"insert rule {chain.family} {chain.table} {chain.name} {' '.join(rule_words(source, port))}"


def _makes(text: str, chain: Chain) -> bool:
    """True when a file makes the chain, or another file that it includes may."""
    plain = re.sub(r"#.*", "", text)
    table = rf"\btable\s+{chain.family}\s+{re.escape(chain.table)}\b"
    name = rf"\bchain\b[^{{;]*\b{re.escape(chain.name)}\b"
    includes = re.search(r"^\s*include\b", plain, re.MULTILINE) is not None
    return includes or (re.search(table, plain) is not None and re.search(name, plain) is not None)

"""YAML of others: plain values only, nested and repeated within limits.

No tag makes an object, and no text is run. The library's composer calls itself for every level of
nesting and ends the process when its stack is full; an anchor that is used again and again can
stand for more values than any memory holds, as can keys that are merged (``<<``). So nodes are
composed here, one event after the other, and counted as often as they are used.
"""

from typing import Any, Final

import yaml

DEEPEST: Final = 120
MOST_NODES: Final = 1_000_000
TEXT, LIST, MAPPING = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))


class LimitedLoader(yaml.CSafeLoader):
    """The safe loader of the library, with limits on what a text may stand for."""

    def get_single_node(self) -> yaml.Node | None:
        """Return the one document of a text.

        Raises
        ------
        yaml.YAMLError
            If there are several, or it is nested too deeply or too large.
        """
        return Composer(self).document()

    def get_single_data(self) -> Any:
        """Return the values of the one document; what cannot be made out is a YAMLError."""
        try:
            return super().get_single_data()
        except (ValueError, OverflowError, TypeError, AttributeError, KeyError) as error:
            # numbers with thousands of digits, dates that no calendar has
            msg = f"a value cannot be made out: {error}"
            raise yaml.YAMLError(msg) from error
        except RecursionError as error:
            raise yaml.YAMLError(TOO_DEEP) from error


SEVERAL: Final = "it has several documents; expected one"
TOO_DEEP: Final = f"its values are nested too deeply; expected at most {DEEPEST} levels"
TOO_MANY: Final = f"its values, repeated ones included, are more than {MOST_NODES}"


class Composer:
    """Makes the nodes of a document of a loader's events, without calling itself."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader
        self.anchors: dict[str, tuple[yaml.Node, int]] = {}
        # collections that have begun: node, its anchor, how many nodes came before
        self.open: list[tuple[Any, str | None, int]] = []
        self.count = 0
        # of texts without quotes; the same keys come again and again
        self.tags: dict[str, str] = {}

    def document(self) -> yaml.Node | None:
        """Return the node of the document, None if there is none."""
        next_event, root = self.loader.get_event, None
        kind = None
        while kind is not yaml.StreamEndEvent:
            event = next_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                node = self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._begin(event)
                continue
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                node = self._end()
            elif kind is yaml.AliasEvent:
                node = self._alias(event)
            else:
                if kind is yaml.DocumentStartEvent and root is not None:
                    raise _error(SEVERAL, event)
                continue
            if self.open:
                self.open[-1][0].value.append(node)
            else:
                root = node
        return root

    def _counted(self, more: int) -> None:
        self.count += more
        if self.count > MOST_NODES:
            raise yaml.YAMLError(TOO_MANY)

    def _scalar(self, event: Any) -> yaml.Node:
        """Return a node without others in it."""
        self.count += 1
        if self.count > MOST_NODES:
            raise yaml.YAMLError(TOO_MANY)
        tag, value = event.tag, event.value
        if tag is None or tag == "!":
            if not event.implicit[0]:
                tag = TEXT
            elif (tag := self.tags.get(value)) is None:
                tag = self.tags[value] = self.loader.resolve(yaml.ScalarNode, value, (True, False))
        node = yaml.ScalarNode(tag, value, event.start_mark, event.end_mark, event.style)
        if event.anchor is not None:
            self.anchors[event.anchor] = node, 1
        return node

    def _begin(self, event: Any) -> None:
        """Begin a collection."""
        if len(self.open) >= DEEPEST:
            raise yaml.YAMLError(TOO_DEEP)
        sequence = type(event) is yaml.SequenceStartEvent
        kind = yaml.SequenceNode if sequence else yaml.MappingNode
        tag = event.tag
        if tag is None or tag == "!":
            tag = LIST if sequence else MAPPING
        node = kind(tag, [], event.start_mark, None, flow_style=event.flow_style)
        self.open.append((node, event.anchor, self.count))
        self._counted(1)

    def _end(self) -> yaml.Node:
        """Return the innermost collection, which ends."""
        node: yaml.Node
        node, anchor, before = self.open.pop()
        if isinstance(node, yaml.MappingNode):
            values = node.value
            node.value = list(zip(values[::2], values[1::2], strict=True))
            check_keys(node)
        if anchor is not None:
            self.anchors[anchor] = node, self.count - before
        return node

    def _alias(self, event: Any) -> yaml.Node:
        """Return the node that an alias stands for, which counts once more."""
        if event.anchor not in self.anchors:
            msg = f"alias {event.anchor!r} stands for nothing that ends before it"
            raise _error(msg, event)
        node, size = self.anchors[event.anchor]
        self._counted(size)
        return node


def _error(sentence: str, place: Any) -> yaml.YAMLError:
    return yaml.composer.ComposerError(None, None, sentence, place.start_mark)


def check_keys(node: yaml.MappingNode) -> None:
    """Refuse a mapping that has a key twice: the library takes the last without a word."""
    names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
    if len(set(names)) < len(names):
        twice = next(name for at, name in enumerate(names) if name in names[:at])
        if twice != "<<":
            msg = f"key {twice!r} is there twice; expected once"
            raise yaml.constructor.ConstructorError(None, None, msg, node.start_mark)


def check_yaml(text: str | bytes) -> None:
    """Check that a text is within the limits, whatever its tags mean.

    Raises
    ------
    yaml.YAMLError
        If it is no YAML or beyond the limits of `load_yaml`.
    """
    reader = LimitedLoader(text)
    try:
        reader.get_single_node()
    finally:
        reader.dispose()


def load_yaml(text: str | bytes, loader: type[LimitedLoader] = LimitedLoader) -> Any:
    """Return the plain values of a text.

    Raises
    ------
    yaml.YAMLError
        If it is no YAML, has tags that make objects, a key twice, several documents, is nested
        more than `DEEPEST` levels, or stands for more than `MOST_NODES` values.
    """
    reader = loader(text)
    try:
        return reader.get_single_data()
    finally:
        reader.dispose()

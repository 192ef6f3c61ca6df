"""The directory that reads the registry: held in memory, read again when the registry's revision grows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Engine

from hub.db import reading
from hub.incidents.model import Place
from hub.ingest.judging.directory import Indexed, KnownNode
from hub.ingest.scope import ALONE, Scope
from hub.registry import reads


class RegistryDirectory:
    """See `hub.ingest.judging.directory.Directory`. Empty until the first `refresh`."""

    def __init__(self, engine: Engine, scope: Scope = ALONE) -> None:
        self._scope = scope
        self._engine = reading(engine)
        self._revision: int | None = None
        self._indexed = Indexed(())
        self.generation = 0

    def lookup(self, node: str) -> KnownNode | None:
        """See Directory."""
        return self._indexed.by_name.get(node)

    def of_pole(self, pole: str) -> KnownNode | None:
        """See Directory."""
        return self._indexed.by_pole.get(pole)

    def of_feeder(self, commune: str, feeder: str) -> Collection[str]:
        """See Directory."""
        return self._indexed.by_feeder.get((commune, feeder), ())

    def refresh(self) -> bool:
        """See Directory; one small query while nothing changed."""
        with self._engine.connect() as conn:
            revision = reads.revision(conn)
            if revision == self._revision:
                return False
            rated_w: defaultdict[str, dict[str, float]] = defaultdict(dict)
            cameras: defaultdict[str, dict[str, str]] = defaultdict(dict)
            places: defaultdict[str, dict[str, Place]] = defaultdict(dict)
            for pole in reads.poles(conn):
                if pole.node is not None:
                    rated_w[pole.node][pole.code] = pole.lamp_rated_w
                    cameras[pole.node] |= dict.fromkeys(pole.cameras, pole.code)
                    place = Place(pole.commune_code, pole.hamlet, pole.feeder, pole.group)
                    places[pole.node][pole.code] = place
            before = self._indexed.by_name
            now_known = (
                KnownNode(
                    name,
                    info.commune,
                    info.poles,
                    rated_w.get(name, {}),
                    cameras.get(name, {}),
                    places.get(name, {}),
                )
                for name, info in reads.known_nodes(conn).items()
                if self._scope.holds(info.commune)
            )
            # Who has not changed stays the same object: what hangs on it need not be learned anew.
            self._indexed = Indexed(
                old if (old := before.get(one.name, one)) == one else one for one in now_known
            )
        self._revision = revision
        self.generation += 1
        return True

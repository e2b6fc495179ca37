"""Records to disk: pictures of a few thousand drafts are rendered and hashed together, then each record is one line."""

import json

import numpy

from population import pdq, transforms
from population.pictures import Gallery

BATCH = 4096


class Writer:
    """Writes drafts as contract records. A draft's `_picture` is `(id, transform or None, seed)`, or None for no picture."""

    def __init__(self, path, gallery: Gallery):
        self.file = open(path, "w", encoding="utf-8")
        self.gallery, self.waiting, self.written, self.known = gallery, [], 0, {}

    def add(self, draft: dict):
        """Takes one draft; it is on disk at the latest after `close`."""
        self.waiting.append(draft)
        if len(self.waiting) >= BATCH:
            self._flush()

    def _avatars(self):
        plain = sorted({draft["_picture"][0] for draft in self.waiting if draft["_picture"] and not draft["_picture"][1]} - self.known.keys())
        fresh = self._hashed(self.gallery.render(plain)) if plain else []
        made = dict(zip(plain, fresh))
        self.known.update((picture, value) for picture, value in made.items() if picture < 1_000_000)
        return made

    def _hashed(self, luma):
        luma = numpy.clip(luma, 0, 255)
        return [{"pdq": row.tobytes().hex(), "quality": int(quality)} for row, quality in zip(pdq.hashes(luma), pdq.qualities(luma))]

    def _changed(self):
        drafts = [draft for draft in self.waiting if draft["_picture"] and draft["_picture"][1]]
        for hue in (False, True):
            mine = [draft for draft in drafts if (draft["_picture"][1] == "rehued") == hue]
            if not mine:
                continue
            luma = self.gallery.render([draft["_picture"][0] for draft in mine], hue)
            luma = numpy.stack([transforms.apply(one, draft["_picture"][1], draft["_picture"][2]) for one, draft in zip(luma, mine)])
            for draft, avatar in zip(mine, self._hashed(luma)):
                draft["avatar"] = avatar

    def _flush(self):
        made = self._avatars()
        self._changed()
        for draft in self.waiting:
            picture = draft["_picture"]
            if picture and not picture[1]:
                draft["avatar"] = made.get(picture[0]) or self.known[picture[0]]
            record = {field: value for field, value in draft.items() if field[0] != "_" and (value or field in ("mirror_of", "kept"))}
            self.file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
        self.written += len(self.waiting)
        self.waiting = []

    def close(self):
        """Writes what waits and closes the file."""
        self._flush()
        self.file.close()

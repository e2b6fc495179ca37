"""Hard negatives: ordinary accounts that look like an entry for a reason that is no return.

Each takes a fresh ordinary draft and an entry and makes the draft resemble it in one way in which unrelated people do.
"""

from population import pictures
from population.bios import PHRASES
from population.links import POPULAR
from population.tactics import Make, news_desk


def fan(make, draft, entry):
    """Names the organisation as a follower would, in other words."""
    network = entry["_network"]
    draft["display_name"] = make.rng.choice((f"{network.latin} fans", f"Lover of {network.stem.title()}", make.rng.choice((network.arabic, network.latin)) + " ❤"))
    draft["bio"] = f"{network.latin} {make.accounts.bios.sentence('en', make.rng, 3, 8)}"


def parody(make, draft, entry):
    """Makes fun of the organisation, and says so."""
    network = entry["_network"]
    draft["display_name"] = f"Not {network.latin}"
    draft["bio"] = f"Parody of {network.latin}. {make.accounts.bios.sentence('en', make.rng, 4, 9)}"


def namesake(make, draft, entry):
    """Has the same personal name, and nothing else."""
    draft["_person"] = entry["_person"]
    draft["display_name"] = make.accounts.names.display(entry["_person"], make.rng)


def city_news(make, draft, entry):
    """Is a news desk, as some entries pose to be."""
    draft["display_name"] = news_desk(make.rng)
    draft["bio"] = make.rng.choice(("Breaking news, official channel", "Latest news and updates", "خبریں", "أخبار عاجلة", "Live updates 24/7, report and video")) + " " + make.accounts.bios.place(make.rng)


def reporter(make, draft, entry):
    """Writes about the organisation."""
    draft["bio"] = f"{make.rng.choice(('Journalist covering', 'Researcher on', 'Reporting on', 'Analyst of'))} {entry['_network'].latin} and {entry['_network'].words[entry['_network'].languages[0]].pick(make.rng)}. {make.accounts.bios.items('en', make.rng)}"


def same_popular_link(make, draft, entry):
    """Links to what everybody links to, as entries do too."""
    draft["links"] = make.rng.sample(POPULAR[:10], 2)


def same_stock_picture(make, draft, entry):
    """Uses the stock picture or default that an entry has."""
    shared = entry["_picture"] and entry["_picture"][0] < pictures.LOGO_BASE
    draft["_picture"] = entry["_picture"] if shared else (make.rng.randint(1, 40), None, 0)


def same_flag(make, draft, entry):
    """Shows a country's flag."""
    draft["_picture"] = (pictures.flag_id(make.rng.randint(0, 5)), None, 0)


def mentions(make, draft, entry):
    """Mentions a banned handle in its text, as a friend, a victim or a critic."""
    if not entry["handle"]:
        return same_flag(make, draft, entry)
    draft["bio"] = f"{make.accounts.bios.items('en', make.rng)} {make.rng.choice(('thanks to', 'scammed by', 'report', 'friend of', 'inspired by', 'ex'))} @{entry['handle']}"


def common_phrase(make, draft, entry):
    """Has a set phrase for a text and a first name for a name."""
    draft["bio"] = make.rng.choice(PHRASES)
    draft["display_name"] = draft["_person"]["first"][0]


def topic_words(make, draft, entry):
    """Writes about the same topic in the same words of the trade, by itself."""
    network = entry["_network"]
    words = network.words[network.languages[0]]
    draft["bio"] = " ".join([*(words.pick(make.rng) for _ in range(4)), make.accounts.bios.sentence(draft["_person"]["language"], make.rng, 4, 8)])


NEGATIVES = {change.__name__: change for change in (fan, parody, namesake, city_news, reporter, same_popular_link, same_stock_picture, same_flag, mentions, common_phrase, topic_words)}
SHARE = 0.045
NAMED_OTHERWISE = ("fan", "parody", "city_news")


def neighbours(entry_handles: list, others: list) -> list:
    """Returns handles of `others` within two edits of a real handle of an entry, found by what is left after one deletion; 5 letters or more."""
    shortened = set()
    for handle in entry_handles:
        if len(handle) >= 5:
            shortened.update(_deletions(handle.lower()))
    return [handle for handle in others if len(handle) >= 5 and any(short in shortened for short in _deletions(handle.lower()))]


def _deletions(handle: str):
    yield handle
    for place in range(len(handle)):
        yield handle[:place] + handle[place + 1 :]


def apply(make: Make, draft: dict, entry: dict) -> str:
    """Turns an ordinary draft into a hard negative, and returns which."""
    name = make.rng.choice(sorted(NEGATIVES))
    NEGATIVES[name](make, draft, entry)
    return name

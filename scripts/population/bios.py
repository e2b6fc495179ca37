"""Profile texts of ordinary people: trades in a row, quotes, everyday sentences, set phrases, hashtags; and where they say they live."""

import random
import re

from population.pools import load
from population.randomness import Weighted, half_of, zipf

ROLES = """engineer dad mum coffee traveller gamer student dreamer foodie writer photographer designer doctor teacher nurse cricket football anime cat-lover bookworm
developer founder entrepreneur artist musician poet chef runner hiker blogger marketer lawyer pilot tea sneakers crypto climber cyclist vegan nomad introvert linux rust
python javascript astronomy history chess movies memes fashion skincare mother husband wife muslim christian patriot realtor barber gardener feminist activist veteran
freelancer investor economist biologist physicist translator volunteer trader streamer editor journalist optimist minimalist sports-fan bibliophile skater""".split()
PHRASES = """Living my best life|Just here for the memes|DM for collab|Follow me and I follow back|Be yourself|Opinions are my own|Retweets are not endorsements|Simple boy|
Simple girl|Proud Pakistani|Proud Indian|Alhamdulillah for everything|Work hard dream big|Stay humble|Never give up|Love yourself|Music is life|Official account|
Personal blog|Digital creator|Public figure|Just for fun|Game is life|Attitude boy|Single|In a relationship|Born to express not to impress|Student of life|Software engineer|
Web developer|Full stack developer|Video creator|Photographer|New here|First love my mom|Wish me on|My life my rules|Love my parents|Cricket lover|Dream Believe Achieve|
Hey there! I am using WhatsApp.|Available|Busy|Can't talk, WhatsApp only|At work|Urgent calls only|Allah is enough for me|Faith over fear|Free Palestine|No bio yet|
الحمد لله|لا إله إلا الله|سبحان الله وبحمده|استغفر الله|اللہ اکبر|الحمدللہ|پاکستان زندہ باد|خدا را شکر|زندگی زیباست|Жизнь прекрасна|Всё будет хорошо|जय हिन्द|
जय श्री राम|Hayat güzel|Hasbunallah|Alam mak|Bismillah|Carpe diem|La vida es bella|Vive la vie|Deus é fiel|人生|よろしくお願いします|你好""".replace("\n", "").split("|")
EMOJI = "😂 ❤️ 🔥 😎 🎮 ⚽ 🏏 📸 ✈️ 🌍 🎵 📚 ☕ 🌹 🌙 🕌 🇵🇰 🇮🇳 🇺🇸 🇹🇷 🇧🇩 🇵🇸 💪 🙏 ✨ 💔 🦋 🖤 👑 🎂 💼 🏋️ 🐱 🐶 🎨".split()
TAGS = "love travel photography foodie cricket art music fitness nature anime coding python javascript islam pakistan india football gaming crypto fashion books startup opensource ramadan memes poetry urdu wedding".split()
CITIES = """Lahore Karachi Islamabad Peshawar Quetta Multan Faisalabad Rawalpindi Delhi Mumbai Bengaluru Hyderabad Kolkata Dhaka Kabul Kandahar Herat Tehran Mashhad Baghdad
Basra Damascus Aleppo Cairo Alexandria Riyadh Jeddah Dubai Doha Istanbul Ankara Moscow Kyiv Jakarta Surabaya London Manchester Birmingham Paris Berlin Madrid Rome Lagos
Kano Nairobi Toronto Chicago Houston Dallas Boston Seattle Miami Atlanta Tokyo Osaka Beijing Shanghai Taipei Bogota Lima Sydney Melbourne""".split()
WIDE_PLACES = "Pakistan|India|USA|Earth|UK|Türkiye|Internet|پاکستان|العراق|مصر|السعودية|ایران|Россия|Bangladesh|Indonesia|Deutschland|Brasil|worldwide|Mars|home".split("|")
NO_SPACE = ("zh", "ja")
# One quote in so many is popular: proverbs and verses that any sample of accounts has seen.
POPULAR_SHARE = 3
# What a quote would pass off as the account's own: an address, a mention, a page, a tag, a number as long as a telephone's.
FOREIGN_CONTACT = re.compile(r"@|://|www\.|#\w|\w\.[^\W\d]{2,}|\d(?:[ ().-]{0,2}\d){6}", re.IGNORECASE)


class Bios:
    """Draws profile texts of one split: rare quotes are divided between the splits, popular ones, words and set phrases are everybody's."""

    def __init__(self, split: str):
        pool = load("texts")
        self.texts = {}
        for language, rows in pool["texts"].items():
            known = sorted(text for text in rows if not FOREIGN_CONTACT.search(text))
            random.Random(11).shuffle(known)
            # A few quotes are everywhere, most are seen once or twice; what is everywhere is known to every split.
            popular = len(known) // POPULAR_SHARE
            mine = known[:popular] + [text for text in known[popular:] if half_of(text) == split]
            self.texts[language] = zipf(mine, 0.6, 20)
        self.words = {language: Weighted(*zip(*(row for row in rows if not FOREIGN_CONTACT.search(row[0])))) for language, rows in pool["words"].items()}
        self.plain_words = [word for language in ("en", "es", "fr", "de", "id", "tr") for word, _ in pool["words"][language][200:6000] if re.fullmatch(r"[a-z]{4,9}", word)]
        self.phones = set()
        self.jobs = {language: zipf(rows, 0.4, 20) for language, rows in pool["jobs"].items()}
        self.phrases, self.roles, self.emoji, self.tags = zipf(PHRASES, 0.9), zipf(ROLES, 0.5, 5), zipf(EMOJI, 0.6, 4), zipf(TAGS, 0.7, 3)
        self.cities = zipf(CITIES, 0.5, 5)

    def sentence(self, language: str, rng: random.Random, low=5, high=16) -> str:
        """Returns words of a language as often as they are used, 5 to 16 of them; without grammar."""
        language = language if language in self.words else "en"
        words = [self.words[language].pick(rng) for _ in range(rng.randint(low, high))]
        return ("" if language in NO_SPACE else " ").join(words)

    def plain_word(self, rng: random.Random) -> str:
        """Returns a common word in plain Latin letters, of a handle made of words."""
        return rng.choice(self.plain_words)

    def phone(self, rng: random.Random) -> str:
        """Returns a telephone number in international writing that nobody else in the run has."""
        while (number := any_phone(rng)) in self.phones:
            pass
        self.phones.add(number)
        return number

    def items(self, language: str, rng: random.Random) -> str:
        """Returns the "engineer | dad | coffee" kind."""
        jobs = self.jobs.get(language) if rng.random() < 0.4 else None
        parts = [jobs.pick(rng)] if jobs else []
        parts += [self.roles.pick(rng) for _ in range(rng.randint(1, 4))]
        if rng.random() < 0.3:
            parts.append(self.cities.pick(rng))
        parts = list(dict.fromkeys(part.title() if rng.random() < 0.3 else part for part in parts))
        return rng.choice((" | ", ", ", " • ", " / ", ". ", " 🔹 ")).join(parts)

    def one(self, person: dict, rng: random.Random) -> str:
        """Returns a bio of a person, in the own language or in English."""
        language = person["language"] if person["native"] or rng.random() < 0.35 else "en"
        draw = rng.random()
        if draw < 0.30:
            text = self.items(language, rng)
        elif draw < 0.55:
            text = self.texts[language if language in self.texts else "en"].pick(rng)
        elif draw < 0.73:
            text = self.sentence(language, rng)
        elif draw < 0.88:
            text = self.phrases.pick(rng)
        elif draw < 0.94:
            text = " ".join("#" + self.tags.pick(rng) for _ in range(rng.randint(2, 5)))
        else:
            text = f"{self.items(language, rng)}. {self.sentence(language, rng, 4, 9)}"
        if rng.random() < 0.25:
            text += " " + "".join(self.emoji.pick(rng) for _ in range(rng.randint(1, 4)))
        if rng.random() < 0.03:
            text += f" {rng.choice(('📧', 'mail:', 'Contact'))} {person['page'].lower().strip('-_.')}@{rng.choice(('gmail.com', 'outlook.com', 'yahoo.com', 'proton.me'))}"
        if rng.random() < 0.02:
            text += f" {self.phone(rng)}"
        return text

    def place(self, rng: random.Random) -> str:
        """Returns what people put in the location field."""
        return self.cities.pick(rng) if rng.random() < 0.7 else rng.choice(WIDE_PLACES)


def any_phone(rng: random.Random) -> str:
    """Returns a telephone number in international writing, perhaps somebody's already."""
    return rng.choice((f"+923{rng.randint(0, 49):02d}{rng.randint(0, 9999999):07d}", f"+9198{rng.randint(0, 99999999):08d}", f"+9647{rng.randint(0, 999999999):09d}", f"+937{rng.randint(0, 99999999):08d}", f"+4477{rng.randint(0, 99999999):08d}"))


def wallet(rng: random.Random) -> str:
    """Returns a wallet address: Tron, Ethereum or Bitcoin in looks (the check part is not valid)."""
    base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    kind = rng.randrange(3)
    if kind == 0:
        return "T" + "".join(rng.choices(base58, k=33))
    if kind == 1:
        return "0x" + "".join(rng.choices("0123456789abcdef", k=40))
    return "bc1q" + "".join(rng.choices("023456789acdefghjklmnpqrstuvwxyz", k=38))

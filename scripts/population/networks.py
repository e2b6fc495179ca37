"""Banned networks and their members: militant media, frauds and spam, all organisations invented.

A network of up to 2,000 accounts shares link hosts, words, now and then a logo, an invite link or a whole text; most of its members look
like anybody else and carry one or two of these marks.
"""

import random

from population import pictures
from population.accounts import WINDOW_SECONDS, Accounts, stamp
from population.bios import wallet
from population.links import code, invite
from population.randomness import Weighted, zipf

# Syllables with their Arabic-script writing: invented names that exist in both scripts.
SYLLABLES = [("za", "زا"), ("kor", "کور"), ("mel", "مل"), ("shan", "شان"), ("dar", "در"), ("vi", "وی"), ("ran", "ران"), ("bo", "بو"), ("tal", "تال"), ("nu", "نو"), ("gul", "گل"),
             ("sar", "سر"), ("mak", "مک"), ("hin", "ہن"), ("far", "فر"), ("zel", "زل"), ("wa", "وا"), ("qam", "قم"), ("lo", "لو"), ("tir", "تیر")]
PARTS = {
    "militant": [("Media", "میڈیا"), ("Front", "محاذ"), ("Voice", "آواز"), ("News", "نیوز"), ("Studio", "سٹوڈیو"), ("Press", "پریس"), ("Brigade", "لشکر"), ("Dawn", "سحر"), ("Caravan", "قافلہ"), ("Youth", "نوجوانان")],
    "scam": [("Invest", "انویسٹ"), ("Trade", "ٹریڈ"), ("Earn", "ارننگ"), ("Capital", "سرمایہ"), ("Profit", "منافع"), ("Pay", "پے"), ("Gold", "گولڈ")],
    "spam": [("Deals", "ڈیلز"), ("Boost", "بوسٹ"), ("Likes", "لائکس"), ("Promo", "پرومو"), ("Shop", "شاپ"), ("Bet", "بیٹ")],
}
WORDS = {
    "militant": {
        "en": "statement brothers front footage operation caravan martyrs video release official channel fighters mountains homeland battle audio poem leader message spokesman communique weekly report nasheed archive victory resistance valley faithful support".split(),
        "ur": "بیان مجاہدین محاذ ویڈیو کارروائی قافلہ شہداء ترانہ خبریں ترجمان پیغام امیر وطن جنگ آڈیو نظم فتح رپورٹ ہفتہ وار مزاحمت وادی ساتھی نصرت آفیشل چینل پہاڑ".split(),
        "ps": "بیان غازیان سنګر ویډیو جګړه کاروان شهیدان ترانه خبرونه ویاند پیغام امیر هیواد غږ بري راپور مقاومت دره ملګري رسمي غرونه".split(),
        "ar": "بيان المجاهدين الجبهة إصدار مرئي عملية القافلة الشهداء نشيد أخبار الناطق رسالة الأمير الوطن المعركة صوتي قصيدة النصر تقرير أسبوعي المقاومة الوادي الأنصار الرسمية قناة".split(),
        "fa": "بیانیه رزمندگان جبهه ویدیو عملیات کاروان شهیدان سرود اخبار سخنگو پیام فرمانده میهن نبرد صوتی شعر پیروزی گزارش هفتگی مقاومت دره یاران رسمی کانال".split(),
    },
    "scam": {
        "en": "invest profit daily guaranteed withdraw bitcoin usdt forex signals broker account manager deposit double returns join team whatsapp now trusted 100% payment proof income online earn weekly payout bonus referral".split(),
        "ur": "سرمایہ منافع روزانہ گارنٹی آن لائن کمائی گھر بیٹھے رقم ڈبل ادائیگی ثبوت جوائن ٹیم واٹس ایپ بونس ریفرل انویسٹ قسط کاروبار".split(),
        "ar": "استثمار أرباح يومية مضمونة سحب إيداع تداول توصيات دخل إضافي انضم فريق واتساب مكافأة إحالة عائد مضاعف".split(),
        "fa": "سرمایه گذاری سود روزانه تضمینی برداشت واریز ترید سیگنال درآمد آنلاین تیم واتساپ جایزه دعوت پرداخت".split(),
    },
    "spam": {
        "en": "followers likes cheap promo discount casino bonus free spins coupon order now delivery original brand watches sale best price shoutout paid views boost reels click link win prize giveaway".split(),
        "ur": "فالوورز لائکس سستے رعایت آفر آرڈر ڈیلیوری برانڈ گھڑیاں سیل قیمت انعام فری لنک کلک جیتیں".split(),
        "ar": "متابعين لايكات رخيصة خصم عرض توصيل أصلي ماركة ساعات تخفيضات سعر جائزة مجانا رابط اربح".split(),
        "fa": "فالوور لایک ارزان تخفیف سفارش ارسال اصل برند ساعت حراج قیمت جایزه رایگان لینک".split(),
    },
}
REASONS = {"militant": ("proscribed organisation", "terrorist content"), "scam": ("fraud", "impersonation"), "spam": ("platform manipulation", "spam")}
SOURCES = ("platform", "ministry", "partner list", "user reports")


def sizes(total: int) -> list:
    """Returns Zipf sizes of networks that add up to `total`, the largest 2,000 or a fiftieth of the total, many of one."""
    largest, found = max(4, min(2000, total // 50)), []
    while sum(found) < total:
        for rank in range(1, 4 * largest):
            found.append(max(1, int(largest / rank**0.85)))
            if sum(found) >= total:
                break
    found[-1] -= sum(found) - total
    return [size for size in found if size > 0]


class Network:
    """What the members of one network have in common."""

    def __init__(self, number: int, accounts: Accounts, rng: random.Random):
        self.number, self.bios = number, accounts.bios
        self.sort = Weighted(("militant", "scam", "spam"), (45, 30, 25)).pick(rng)
        stem = [rng.choice(SYLLABLES) for _ in range(rng.randint(2, 3))]
        part = rng.choice(PARTS[self.sort])
        self.stem = "".join(latin for latin, _ in stem)
        self.latin = f"{self.stem.title()} {part[0]}"
        self.arabic = "".join(letters for _, letters in stem) + " " + part[1]
        self.name = f"{self.latin} {number}"
        self.languages = rng.sample(sorted(WORDS[self.sort]), k=min(2, rng.randint(1, 3)))
        self.words = {language: zipf(rng.sample(words, len(words)), 0.7, 3) for language in self.languages for words in [WORDS[self.sort][language]]}
        ending = rng.choice(("com", "net", "org", "info", "xyz", "live", "top"))
        self.hosts = [f"{self.stem}{rng.choice(('', '-', '24', 'tv', 'hub'))}{part[0].lower()}.{ending}"] + ([f"{self.stem}{rng.randint(2, 99)}.{ending}"] if rng.random() < 0.4 else [])
        self.links = [f"https://{host}/{code(rng, 5) if rng.random() < 0.5 else ''}" for host in self.hosts for _ in range(2)] + [f"https://t.me/{self.stem}{part[0].lower()}{rng.randint(1, 99)}" for _ in range(2)]
        self.invites = [invite(rng.choice(("whatsapp", "telegram")), rng) for _ in range(2)]
        self.logos = [pictures.LOGO_BASE + number * 3 + index for index in range(rng.randint(1, 3))]
        self.phone, self.wallet = accounts.bios.phone(rng), wallet(rng)
        self.texts = [self.text(rng) for _ in range(3)]
        self.centre = rng.random() * WINDOW_SECONDS

    def text(self, rng: random.Random, low=6, high=18) -> str:
        """Returns a text of one of its languages: two words of the trade to one of everyday, now and then with the network's name."""
        language = rng.choice(self.languages)
        everyday = "fa" if language == "ps" else language
        words = [self.words[language].pick(rng) if rng.random() < 0.65 else self.bios.words[everyday].pick(rng) for _ in range(rng.randint(low, high))]
        if rng.random() < 0.5:
            words.insert(rng.randint(0, len(words)), self.latin if language == "en" else self.arabic)
        return " ".join(word for word, after in zip(words, words[1:] + [""]) if word != after)

    def handle(self, rng: random.Random) -> str:
        """Returns a handle that carries the network's name."""
        first, part = self.stem, self.latin.split()[1].lower()
        made = rng.choice((f"{first}_{part}", f"{first}{part}", f"{part}_{first}", f"{first}.{part}", f"The{first.title()}", f"{first}{rng.choice(('urdu', 'pk', 'tv', 'official', 'live', 'fc'))}"))
        return made + (rng.choice(("", "_")) + str(rng.randint(1, 9999)) if rng.random() < 0.7 else "")


def entry(accounts: Accounts, network: Network, rng: random.Random) -> dict:
    """Returns one member as a draft: an ordinary account with some of its network's marks, and its ban."""
    draft = accounts.draft()
    if draft["handle"] and rng.random() < 0.25:
        # Two entries of one handle would leave open which of them a mirror re-creates.
        draft["handle"] = accounts.claimed(lambda: network.handle(rng))
        draft["_made_handle"] = True
        if rng.random() < 0.7:
            draft["display_name"] = rng.choice((network.latin, network.arabic, f"{network.latin} {rng.choice(('Official', 'Urdu', 'Backup', 'TV', 'Group'))}"))
    group = draft["kind"] == "group"
    if group and rng.random() < 0.6:
        draft["display_name"] = f"{rng.choice((network.latin, network.arabic))} {rng.choice(('Group', 'گروپ', 'Official', 'Updates', 'News', str(rng.randint(2, 99))))}"
    draw = rng.random()
    if draw < 0.38:
        draft["bio"] = network.text(rng)
    elif draw < 0.45:
        draft["bio"] = rng.choice(network.texts)
    if rng.random() < 0.25:
        draft["links"] = draft["links"] + [rng.choice(network.links)]
    elif rng.random() < 0.2:
        draft["links"] = draft["links"] + [f"https://{rng.choice(network.hosts)}/{code(rng, 6)}"]
    if rng.random() < 0.15:
        draft["links"] = draft["links"] + [invite("telegram" if rng.random() < 0.5 else "whatsapp", rng) if rng.random() < 0.7 else rng.choice(network.invites)]
    if draft["bio"] and rng.random() < 0.10:
        draft["_phone"] = accounts.bios.phone(rng) if rng.random() < 0.7 else network.phone
        draft["bio"] += f" {rng.choice(('WhatsApp', 'Contact', 'رابطہ', '📞'))} {draft['_phone']}"
    if draft["bio"] and rng.random() < (0.12 if network.sort == "scam" else 0.03):
        draft["_wallet"] = wallet(rng) if rng.random() < 0.7 else network.wallet
        draft["bio"] += f" {rng.choice(('USDT', 'Donate', 'BTC', 'TRC20'))}: {draft['_wallet']}"
    if rng.random() < 0.12:
        draft["_picture"] = (rng.choice(network.logos), None, 0)
    if draft["_picture"] and draft["_picture"][0] == pictures.default_id(draft["platform"], draft["handle"]) and rng.random() < 0.3:
        draft["_picture"] = accounts.new_picture()
    banned = min(WINDOW_SECONDS - 3600, max(0, rng.gauss(network.centre, WINDOW_SECONDS / 12))) if rng.random() < 0.7 else rng.random() * (WINDOW_SECONDS - 3600)
    draft["created_at"] = stamp(banned - rng.expovariate(1 / (60 * 86400)))
    draft["ban"] = {"reason": rng.choice(REASONS[network.sort]), "network": network.name, "banned_at": stamp(banned), "source": rng.choice(SOURCES)}
    draft["_banned"], draft["_network"] = banned, network
    return draft

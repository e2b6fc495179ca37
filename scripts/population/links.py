"""Links of ordinary accounts: none, one's own page on a service, an own domain, or a page everybody links to."""

import random

from population.pools import load
from population.randomness import half_of, zipf

POPULAR = """https://linktr.ee https://www.youtube.com https://www.bbc.com/urdu https://www.dawn.com https://www.aljazeera.com https://www.aljazeera.net https://www.facebook.com
https://www.instagram.com https://github.com https://www.geo.tv https://arynews.tv https://www.bbc.com/news https://www.cnn.com https://t.me https://www.tiktok.com
https://wa.me https://open.spotify.com https://www.patreon.com https://www.unicef.org https://www.wikipedia.org https://discord.gg/minecraft https://store.steampowered.com
https://www.twitch.tv https://www.reddit.com https://www.linkedin.com https://www.change.org https://www.fiverr.com https://www.upwork.com https://www.npmjs.com
https://www.youtube.com/watch?v=dQw4w9WgXcQ https://www.youtube.com/watch?v=9bZkp7q19f0 https://www.youtube.com/watch?v=kJQP7kiw5Fk https://www.youtube.com/watch?v=jNQXAC9IVRw
https://bit.ly https://www.onlyfans.com https://www.amazon.com https://www.daraz.pk https://www.espncricinfo.com https://ko-fi.com https://www.buymeacoffee.com""".split()
SERVICES = ["https://linktr.ee/{}", "https://github.com/{}", "https://www.instagram.com/{}", "https://www.youtube.com/@{}", "https://t.me/{}", "https://www.facebook.com/{}",
            "https://x.com/{}", "https://www.tiktok.com/@{}", "https://medium.com/@{}", "https://{}.github.io", "https://soundcloud.com/{}", "https://ko-fi.com/{}"]
ENDINGS = ["com", "dev", "io", "net", "me", "org", "pk", "in", "xyz", "blog", "app", "ru", "de"]


class Links:
    """Draws links of one split."""

    def __init__(self, split: str):
        self.popular, self.services, self.endings = zipf(POPULAR, 0.9), zipf(SERVICES, 0.7), zipf(ENDINGS, 1.0, 1)
        self.hosts = zipf([host for host in load("handles")["hosts"] if half_of(host) == split and not host[0].isdigit()], 0.4, 50)

    def some(self, handle: str, rng: random.Random) -> list:
        """Returns no link for six accounts in ten, else one to three."""
        if rng.random() < 0.6:
            return []
        return list(dict.fromkeys(self.one(handle, rng) for _ in range(rng.choice((1, 1, 1, 1, 2, 2, 3)))))

    def one(self, handle: str, rng: random.Random) -> str:
        """Returns one link."""
        draw, name = rng.random(), handle.lower().strip("-_.")
        if draw < 0.45 and name:
            return self.services.pick(rng).format(name)
        if draw < 0.60 and name:
            return f"https://{name.replace('_', '-').replace('.', '')}.{self.endings.pick(rng)}"
        if draw < 0.72:
            return f"https://{self.hosts.pick(rng)}/{name}"
        return self.popular.pick(rng)


def code(rng: random.Random, length: int) -> str:
    """Returns a random code as invite links carry."""
    return "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", k=length))


def invite(platform: str, rng: random.Random) -> str:
    """Returns a group's invite link."""
    if platform == "whatsapp":
        return "https://chat.whatsapp.com/" + code(rng, 22).replace("_", "a").replace("-", "b")
    return "https://t.me/+" + code(rng, 16)

"""A labelled population of accounts, of any size, made from what real packages contain.

`python -m population --out DIR` writes banned accounts (`entries.ndjson`) and probes of which each one says whether it is an ordinary
account (`mirror_of: null`) or re-creates an entry (`mirror_of: "<entry id>"`), with the tactic that was used. The tactics are divided into
a *tuned* half, on which weights may be set, and an *unseen* half, which tells how the engine does on moves it was not set on.

Everything follows from the seed and from the versions of the packages; nothing is fetched while it runs.
"""

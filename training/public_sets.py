"""Public data sets that can be fetched from their publishers: one table.

Each hash is that of the publisher's own file. A set whose published bytes could not be confirmed is not listed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublicFile:
    """One file of a set.

    Parameters
    ----------
    name
        What it is called in the fetched folder.
    address
        Where its publisher offers it.
    sha256
        Of its bytes.
    size
        In bytes.
    """

    name: str
    address: str
    sha256: str
    size: int


@dataclass(frozen=True)
class PublicSet:
    """A data set.

    Parameters
    ----------
    slug
        The model that learns from such data.
    what
        What it holds, in a few words.
    licence
        Under which its publisher offers it; the user's to keep.
    """

    name: str
    slug: str
    what: str
    licence: str
    files: tuple[PublicFile, ...]


_GITHUB = "https://raw.githubusercontent.com"
_SNIPS = f"{_GITHUB}/sonos/nlu-benchmark/master/2017-06-custom-intent-engines"
_LOGHUB = f"{_GITHUB}/logpai/loghub/374038faa4ca122dd7ca0730372c0b78f76f8597"
_BANDIT = f"{_GITHUB}/st-tech/zr-obp/12eb4f1738b8220498f9faed5ff6a4ffe5f4c626/obp/dataset/obd"


def _loghub(system: str, sha256: str, size: int) -> PublicFile:
    name = f"{system}_2k.log_structured.csv"
    return PublicFile(name, f"{_LOGHUB}/{system}/{name}", sha256, size)


def _snips(part: str, intent: str, ending: str, sha256: str, size: int) -> PublicFile:
    name = f"{part}_{intent}{ending}.json"
    return PublicFile(name, f"{_SNIPS}/{intent}/{name}", sha256, size)


def _bandit(policy: str, name: str, sha256: str, size: int) -> PublicFile:
    return PublicFile(f"{policy}_{name}", f"{_BANDIT}/{policy}/men/{name}", sha256, size)


PUBLIC_SETS = (
    PublicSet(
        "loghub",
        "root_cause",
        "10 systems of LogHub, 2,000 lines each, with the template of every line",
        "free for research or academic work; cite LogHub (ISSRE 2023)",
        (
            _loghub("Android", "80d58d6c79249c9f4891fbe0c2eaeaade30f933c69b7d030af190a10d73d96e5", 450_975),
            _loghub("Apache", "54331d12eedf513f2127f4d89f0284c8b15fddfa5471103abf9db2c73d737778", 258_805),
            _loghub("BGL", "3fe74103c0b02a28514534e2a47257a3f770135ca61afd425bbd3b9d6a31fe26", 425_129),
            _loghub("HDFS", "729df59774e3dde934044028546d2a55d5e3d4370b9d12fcebbe4c087b2bf7b4", 414_635),
            _loghub("Hadoop", "e88e5bf99d7f23f482517cc79290ad75b90d914af5d6114176e8bbf0f8ae0fad", 541_144),
            _loghub("Linux", "7c86d7b0ecb961a25f00d9475a154df97613b9974f31ce142a146caa2017c71e", 327_804),
            _loghub("OpenSSH", "c0996a11545f4b94b435993760afa441a9e373f7bfc9e787afdb8e62f65acb4f", 357_677),
            _loghub("Proxifier", "5aa88821bb217d82c3a964cbe9fdb0d67f235b0538ac164ef0a87e0ced4f2715", 356_522),
            _loghub("Spark", "d7df75f6839b6bcf98ff020b6b0b6e2ee89d8cc53ee3d08d441bd42fd84a2cb5", 305_002),
            _loghub("Zookeeper", "e4a450c67595828103cfab049d971f54eee778fdded061222ba6581bed2a210a", 372_360),
        ),
    ),
    PublicSet(
        "banking77",
        "intent",
        "13,083 questions to a bank, 77 intents",
        "CC BY 4.0",
        (
            PublicFile(
                "train.csv",
                f"{_GITHUB}/PolyAI-LDN/task-specific-datasets/master/banking_data/train.csv",
                "b06e26ac675513959a63135f11b94ea7786ed02da65db93a5650d8838cbc664b",
                839_073,
            ),
            PublicFile(
                "test.csv",
                f"{_GITHUB}/PolyAI-LDN/task-specific-datasets/master/banking_data/test.csv",
                "d12d6e3bc4c3103966ae786dc435913c0c563dfa328f5a3646d0e62cfeeb474d",
                239_961,
            ),
        ),
    ),
    PublicSet(
        "clinc150",
        "intent",
        "23,700 requests, 150 intents and out-of-scope",
        "CC BY 3.0",
        (
            PublicFile(
                "data_full.json",
                f"{_GITHUB}/clinc/oos-eval/master/data/data_full.json",
                "36923c3705a59e08fe9c3883d8bc2dd966ef93e22cb78ac41171782a698d56e0",
                2_495_390,
            ),
            PublicFile(
                "domains.json",
                f"{_GITHUB}/clinc/oos-eval/master/data/domains.json",
                "b947b579d3b8e74b06f93b01083d8efaff2888b43a3e362533bd88a6e1211b3a",
                3_818,
            ),
        ),
    ),
    PublicSet(
        "snips",
        "intent",
        "14,484 voice commands, 7 intents with slots",
        "CC0 1.0",
        (
            _snips("train", "AddToPlaylist", "_full", "fee1b4645352e70ed8a40f1f87c3b53fc3bf75f8ebc82252a22b82c107e75b01", 833_810),
            _snips("train", "BookRestaurant", "_full", "7677e82cd6e9a8191f0a4502568c786278c984900b4796d3628e46f1abf73ef4", 980_018),
            _snips("train", "GetWeather", "_full", "86f414b2ad8a993134d85d16e25e5d337beae47cef993c0af2a5f440405c60f6", 743_646),
            _snips("train", "PlayMusic", "_full", "901ddbe9781d1fdb8196e789c543f80df3d29ca6e237da64947905adcc0312e4", 675_343),
            _snips("train", "RateBook", "_full", "bb43e4b74134300d5766f6b420d0357a63402987a225f6dc92c806c9c040ce04", 506_364),
            _snips("train", "SearchCreativeWork", "_full", "87b3432de48c71c205aa5238b41d9e3f2d70bdfcd0bea2427544fb9e4bd5e5bb", 292_392),
            _snips("train", "SearchScreeningEvent", "_full", "5447e9440c02e2fb08c3ae16b9f58a4d1332b4bc77fd34691402b02aa4399765", 364_989),
            _snips("validate", "AddToPlaylist", "", "14cc9ee49ae477b1452632a6e835498cf4c32da397b16967c82abb3e50403e83", 44_160),
            _snips("validate", "BookRestaurant", "", "4f7258ccc768b777b2eb8916532db9aa50dbd058ddf1ffb0dc59218963e7442a", 49_353),
            _snips("validate", "GetWeather", "", "60c095e193655d6ca92be220fed3926ca25e18cd70c85664145efe25d80993af", 39_612),
            _snips("validate", "PlayMusic", "", "922212775e26259d5bffeaf79b6048d070ca017d229df00b2cc9800f71c75d20", 33_122),
            _snips("validate", "RateBook", "", "c1f8b4114da0bb5e8afd78a8062766e18b2eabb0e717539598db01b09d04619b", 52_854),
            _snips("validate", "SearchCreativeWork", "", "8a5e830eddb185d3e4a9d27ded140a145d04766bdce0e58834676ede32d13e77", 31_404),
            _snips("validate", "SearchScreeningEvent", "", "81e1445713e03c7c3e615353c5f3fee05f369fe9834100b9b9735900a96b9498", 35_716),
        ),
    ),
    PublicSet(
        "telco",
        "churn",
        "7,043 customers of a telephone company, who left and who stayed",
        "Apache-2.0 (IBM's repository)",
        (
            PublicFile(
                "Telco-Customer-Churn.csv",
                f"{_GITHUB}/IBM/telco-customer-churn-on-icp4d/d5371f5d83a446ad5673cbcca3b814b926491f8a/data/Telco-Customer-Churn.csv",
                "16320c9c1ec72448db59aa0a26a0b95401046bef5d02fd3aeb906448e3055e91",
                970_457,
            ),
        ),
    ),
    PublicSet(
        "hillstrom",
        "churn",
        "64,000 customers in a randomised e-mail trial, two treatments and a control",
        "published for anyone to analyse; no licence text",
        (
            PublicFile(
                "hillstrom.csv",
                "http://www.minethatdata.com/Kevin_Hillstrom_MineThatData_E-MailAnalytics_DataMiningChallenge_2008.03.20.csv",
                "0e5893329d8b93cefecc571777672028290ab69865718020c78c7284f291aece",
                3_964_977,
            ),
        ),
    ),
    PublicSet(
        "open_bandit_men",
        "notification",
        "20,000 recommendations, logged by a random and a learned policy with propensities",
        "CC BY 4.0",
        (
            _bandit("bts", "men.csv", "db6d1f7ed2d591ba521533e45286d4c1fba7fe57a8ad2e80342210335f43c527", 3_240_432),
            _bandit("bts", "item_context.csv", "3b411ed6b0471316321a6b93f4f756bb25888eac6218cd71d0b603d41d85732d", 4_287),
            _bandit("random", "men.csv", "ede6d08c6877f99cd3770f7d09e26c738e6aa6de4445ccccfb1356ba5d06b1eb", 3_336_811),
            _bandit("random", "item_context.csv", "6d855c2b7e917d0448d71bbe62c023147495882c0fdc8c41e86fef86abf9fe09", 4_287),
        ),
    ),
    PublicSet(
        "wands",
        "search_synonyms",
        "480 queries to a furniture shop with their classes",
        "MIT",
        (
            PublicFile(
                "query.csv",
                f"{_GITHUB}/wayfair/WANDS/37f00c95b2a2abca6396680976378dc899babb7c/dataset/query.csv",
                "63b61660560fecc33ec490804c7e2b81402ee3e7c31a9cbb5e03736639f68e95",
                19_942,
            ),
        ),
    ),
)

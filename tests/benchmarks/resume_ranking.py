"""Vacancies against real resumes: ESCO's descriptions of occupations as jobs, resumes of the matching category as the right answers.

A job's title is ESCO's preferred label, its text the description; which categories fit was set by the labels alone, before any was
ranked. Beside it BM25 (bm25s) and the cosine of whole texts by sentence-transformers, both given title and text. With so few jobs the
intervals, by bootstrap over jobs, are wide; that of the difference is paired.

What was looked at, and how often. Features, constants and weights of the model were chosen on `development`, the jobs whose first
category is at an even place of the alphabetical list, and on `further` jobs, again and again, each in five wordings (as it is, as a list,
with another of its labels as the title, its title alone, and inside a long advertisement). The `held out` ones chose nothing; they were
judged five times, and how the model before lost on them was looked at, job by job. The `fresh` ones were picked by their labels alone
before the last change of the model was judged on any of them. They were judged twice after it: with 400 words of a resume encoded (NDCG
.652, precision .568) and, to be faster, with 240.

The last rows but speed: real resumes, each with the details of another person put in, one detail or all at once (`swaps`); `changed`
counts the scores that are not exactly what they were.
"""

from __future__ import annotations

import base64
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import bm25s
import numpy as np
import polars as pl
from sentence_transformers import SentenceTransformer

from models.encoder.export import packaged_source
from models.resume_ranking import Candidate, Job, ResumeRanking, ResumeRankingConfig, ResumeRankingExample, ResumeRankingQuery
from models.resume_ranking.reading import read
from models.resume_ranking.records import job_of
from models.rows import read_rows
from training.counterfactual import PEOPLE, swaps, with_person
from training.metrics import ranking_metrics
from training.run import sample_of

DATA = "resume_ranking"

JOBS = {
    "lawyer": ("Advocate",),
    "artistic painter": ("Arts",),
    "ICT test analyst": ("Automation Testing", "Testing"),
    "software tester": ("Automation Testing", "Testing"),
    "blockchain developer": ("Blockchain",),
    "business analyst": ("Business Analyst",),
    "civil engineer": ("Civil Engineer",),
    "data scientist": ("Data Science",),
    "database administrator": ("Database",),
    "database developer": ("Database",),
    "cloud engineer": ("DevOps Engineer",),
    "software developer": ("DotNet Developer", "Java Developer", "Python Developer"),
    "data warehouse designer": ("ETL Developer",),
    "electrical engineer": ("Electrical Engineering",),
    "human resources manager": ("HR",),
    "human resources officer": ("HR",),
    "fitness instructor": ("Health and fitness",),
    "personal trainer": ("Health and fitness",),
    "mechanical engineer": ("Mechanical Engineer",),
    "ICT security engineer": ("Network Security Engineer",),
    "ICT network engineer": ("Network Security Engineer",),
    "operations manager": ("Operations Manager",),
    "project support officer": ("PMO",),
    "project manager": ("PMO",),
    "sales manager": ("Sales",),
    "commercial sales representative": ("Sales",),
    "web developer": ("Web Designing",),
    "user interface designer": ("Web Designing",),
}
"""Categories of resumes that fit, by occupation. Hadoop and SAP developers have no occupation of their own in ESCO; they only distract."""

FURTHER = {
    "legal assistant": ("Advocate",),
    "legal consultant": ("Advocate",),
    "corporate lawyer": ("Advocate",),
    "lawyer linguist": ("Advocate",),
    "drawing artist": ("Arts",),
    "dance teacher": ("Arts",),
    "art teacher secondary school": ("Arts",),
    "music instructor": ("Arts",),
    "ICT system tester": ("Automation Testing", "Testing"),
    "ICT integration tester": ("Automation Testing", "Testing"),
    "ICT usability tester": ("Automation Testing", "Testing"),
    "blockchain architect": ("Blockchain",),
    "ICT business analyst": ("Business Analyst",),
    "ICT business analysis manager": ("Business Analyst",),
    "ICT system analyst": ("Business Analyst",),
    "civil engineering technician": ("Civil Engineer",),
    "construction engineer": ("Civil Engineer",),
    "construction manager": ("Civil Engineer",),
    "data analyst": ("Data Science",),
    "database designer": ("Database",),
    "database integrator": ("Database",),
    "ICT system administrator": ("DevOps Engineer",),
    "integration engineer": ("DevOps Engineer",),
    "ICT application developer": ("DotNet Developer", "Java Developer", "Python Developer"),
    "ICT system developer": ("DotNet Developer", "Java Developer", "Python Developer"),
    "software architect": ("DotNet Developer", "Java Developer", "Python Developer"),
    "electrical engineering technician": ("Electrical Engineering",),
    "electric power generation engineer": ("Electrical Engineering",),
    "electrical supervisor": ("Electrical Engineering",),
    "human resources assistant": ("HR",),
    "recruitment consultant": ("HR",),
    "sports instructor": ("Health and fitness",),
    "sports coach": ("Health and fitness",),
    "mechanical engineering technician": ("Mechanical Engineer",),
    "mechanical engineering drafter": ("Mechanical Engineer",),
    "ICT network technician": ("Network Security Engineer",),
    "ICT network administrator": ("Network Security Engineer",),
    "ICT network architect": ("Network Security Engineer",),
    "ICT security administrator": ("Network Security Engineer",),
    "ICT project manager": ("PMO",),
    "programme manager": ("PMO",),
    "sales account manager": ("Sales",),
    "sales assistant": ("Sales",),
    "technical sales representative": ("Sales",),
    "sales engineer": ("Sales",),
    "user interface developer": ("Web Designing",),
    "webmaster": ("Web Designing",),
    "web content manager": ("Web Designing",),
}
"""Other occupations of the same fields."""

FRESH = {
    "prosecutor": ("Advocate",),
    "notary": ("Advocate",),
    "mediator": ("Advocate",),
    "sculptor": ("Arts",),
    "printmaker": ("Arts",),
    "visual arts teacher": ("Arts",),
    "fine arts instructor": ("Arts",),
    "drama teacher": ("Arts",),
    "ICT quality assurance manager": ("Automation Testing", "Testing"),
    "ICT accessibility tester": ("Automation Testing", "Testing"),
    "digital games tester": ("Automation Testing", "Testing"),
    "business consultant": ("Business Analyst",),
    "business intelligence manager": ("Business Analyst",),
    "drainage engineer": ("Civil Engineer",),
    "transport engineer": ("Civil Engineer",),
    "surveying technician": ("Civil Engineer",),
    "construction quality manager": ("Civil Engineer",),
    "bridge construction supervisor": ("Civil Engineer",),
    "computer vision engineer": ("Data Science",),
    "ICT intelligent systems designer": ("Data Science",),
    "ICT operations manager": ("DevOps Engineer",),
    "ICT change and configuration manager": ("DevOps Engineer",),
    "mobile application developer": ("DotNet Developer", "Java Developer", "Python Developer"),
    "software analyst": ("DotNet Developer", "Java Developer", "Python Developer"),
    "embedded systems software developer": ("DotNet Developer", "Java Developer", "Python Developer"),
    "power distribution engineer": ("Electrical Engineering",),
    "substation engineer": ("Electrical Engineering",),
    "electromechanical engineer": ("Electrical Engineering",),
    "labour relations officer": ("HR",),
    "career guidance advisor": ("HR",),
    "pilates teacher": ("Health and fitness",),
    "swimming teacher": ("Health and fitness",),
    "sport therapist": ("Health and fitness",),
    "equipment engineer": ("Mechanical Engineer",),
    "tooling engineer": ("Mechanical Engineer",),
    "automotive engineer": ("Mechanical Engineer",),
    "production engineering technician": ("Mechanical Engineer",),
    "ICT security manager": ("Network Security Engineer",),
    "ethical hacker": ("Network Security Engineer",),
    "chief ICT security officer": ("Network Security Engineer",),
    "manufacturing manager": ("Operations Manager",),
    "department manager": ("Operations Manager",),
    "industrial production manager": ("Operations Manager",),
    "commercial director": ("Sales",),
    "medical sales representative": ("Sales",),
    "online sales channel manager": ("Sales",),
    "search engine optimisation expert": ("Web Designing",),
    "user experience analyst": ("Web Designing",),
    "graphic designer": ("Web Designing",),
    "digital media designer": ("Web Designing",),
}
"""Yet others: not looked at before they were judged."""

FITTING = JOBS | FURTHER | FRESH

PDFS = {
    "job_desc_front_end_engineer.pdf": "barry_allen_fe.pdf",
    "job_desc_full_stack_engineer.pdf": "bruce_wayne_fullstack.pdf",
    "job_desc_java_developer.pdf": "john_doe.pdf",
    "job_desc_product_manager.pdf": "alfred_pennyworth_pm.pdf",
}
METRICS = ("ndcg_at_10", "precision_at_5")
SPEED_RESUMES = 1_000
SWAPPED_RESUMES = 40
RESAMPLES = 2_000

Ranker = Callable[[str, str], list[int]]
"""From a job's title and text to places in the list of resumes, best first."""


def run(data: Path) -> list[dict[str, object]]:
    """One row per system and group of jobs; then the PDFs, the swaps, and speed."""
    resumes = _resumes(data)
    texts = [text for _, text in resumes]
    model = ResumeRanking().fit(read_rows(sample_of("resume_ranking"), ResumeRankingExample))
    neural = SentenceTransformer(str(packaged_source()), device="cpu")
    systems = {"foretell": _ours(model, texts), "bm25s": _bm25(texts), "sentence-transformers, whole texts": _cosine(neural, texts)}
    rows = list(_judged(systems, _jobs(data), [category for category, _ in resumes]))
    job = Job(title="software developer", text=_jobs(data)["software developer"])
    return [*rows, *_pdfs(model, data / "pdfs"), _swapped(texts, job), *_speed(texts, neural, _jobs(data)["software developer"])]


def _resumes(data: Path) -> list[tuple[str, str]]:
    """Category and text of each distinct resume."""
    frames = [pl.read_csv(path, columns=["Category", "Resume"]) for path in sorted((data / "resumes").glob("*.csv"))]
    return list(pl.concat(frames).unique("Resume", maintain_order=True).iter_rows())


def _jobs(data: Path) -> dict[str, str]:
    frame = pl.read_csv(data / "esco" / "occupations.csv", columns=["PREFERREDLABEL", "DESCRIPTION"])
    return {title: text.strip() for title, text in frame.iter_rows() if title in FITTING}


def _judged(systems: Mapping[str, Ranker], jobs: Mapping[str, str], categories: Sequence[str]) -> Iterator[dict[str, object]]:
    even = set(sorted(set(categories))[::2])
    groups = {
        "development": [title for title, fitting in JOBS.items() if fitting[0] in even],
        "further": list(FURTHER),
        "held out": [title for title, fitting in JOBS.items() if fitting[0] not in even],
        "fresh": list(FRESH),
    }
    for group, named in groups.items():
        titles = [title for title in named if title in jobs]
        truth = [[place for place, category in enumerate(categories) if category in FITTING[title]] for title in titles]
        values = {name: _values([rank(title, jobs[title]) for title in titles], truth) for name, rank in systems.items()}
        for name, found in values.items():
            row: dict[str, object] = {"system": name, "data": f"{len(categories)} resumes, {group} ({len(titles)} jobs)"}
            for metric in METRICS:
                row |= {metric: round(float(found[metric].mean()), 4), f"{metric}_interval": _interval(found[metric])}
                if name != "foretell":
                    row[f"{metric}_behind"] = _interval(values["foretell"][metric] - found[metric])
            yield row


def _values(rankings: Sequence[Sequence[int]], truth: Sequence[Sequence[int]]) -> dict[str, np.ndarray]:
    """Each metric, job by job."""
    return {
        metric: np.array([ranking_metrics([ranking], [right], (metric,))[metric] for ranking, right in zip(rankings, truth, strict=True)])
        for metric in METRICS
    }


def _interval(values: np.ndarray) -> list[float]:
    """95% of the mean, by bootstrap over jobs."""
    drawn = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    return [round(end, 3) for end in np.quantile(values[drawn].mean(axis=1), (0.025, 0.975)).tolist()]


def _ours(model: ResumeRanking, texts: Sequence[str]) -> Ranker:
    candidates = tuple(Candidate(id=str(place), text=text) for place, text in enumerate(texts))

    def rank(title: str, text: str) -> list[int]:
        (answer,) = model.predict([ResumeRankingQuery(job=Job(title=title, text=text), candidates=candidates)])
        return [int(each.id) for each in answer.ranking]

    return rank


def _bm25(texts: Sequence[str]) -> Ranker:
    index = bm25s.BM25()
    index.index(bm25s.tokenize(list(texts), stopwords="en", show_progress=False), show_progress=False)

    def rank(title: str, text: str) -> list[int]:
        asked = bm25s.tokenize(f"{title} {text}", stopwords="en", show_progress=False, return_ids=False)
        return [int(place) for place in np.argsort(-index.get_scores(asked[0]), kind="stable")]

    return rank


def _cosine(neural: SentenceTransformer, texts: Sequence[str]) -> Ranker:
    vectors = neural.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)

    def rank(title: str, text: str) -> list[int]:
        asked = neural.encode([f"{title}. {text}"], normalize_embeddings=True, show_progress_bar=False)[0]
        return [int(place) for place in np.argsort(-(vectors @ asked), kind="stable")]

    return rank


def _pdfs(model: ResumeRanking, folder: Path) -> Iterator[dict[str, object]]:
    """Every job description against all resumes of the folder."""
    names = [path.name for path in sorted(folder.glob("*.pdf")) if not path.name.startswith("job_")]
    candidates = tuple(Candidate(id=name, document=base64.b64encode((folder / name).read_bytes()).decode()) for name in names)
    firsts = []
    for job, right in PDFS.items():
        if (folder / job).is_file():
            query = ResumeRankingQuery(job=job_of(read((folder / job).read_bytes(), job).text), candidates=candidates)
            firsts.append(float(model.predict([query])[0].ranking[0].id == right))
    if firsts:
        yield {"system": "foretell", "data": f"{len(firsts)} PDF vacancies, {len(names)} PDF resumes", "ac_at_1": statistics.mean(firsts)}


def _swapped(texts: Sequence[str], job: Job) -> dict[str, object]:
    """Every swap of a person's details in real resumes: scores that changed at all."""
    model = ResumeRanking(ResumeRankingConfig(disk_cache_mib=0)).fit(read_rows(sample_of("resume_ranking"), ResumeRankingExample))
    works = [texts[place] for place in range(0, len(texts), max(1, len(texts) // SWAPPED_RESUMES))][:SWAPPED_RESUMES]
    persons = [PEOPLE[0], *swaps(PEOPLE[0]).values()]
    changed = 0
    for work in works:
        candidates = tuple(Candidate(id=str(place), text=with_person(work, person)) for place, person in enumerate(persons))
        (answer,) = model.predict([ResumeRankingQuery(job=job, candidates=candidates)])
        scores = {each.id: each.score for each in answer.ranking}
        changed += sum(score != scores["0"] for score in scores.values())
    return {"system": "foretell", "data": "one person for another", "swaps": len(persons) - 1, "resumes": len(works), "changed": changed}


def _speed(texts: Sequence[str], neural: SentenceTransformer, job: str) -> Iterator[dict[str, object]]:
    """Seconds for a job and 1,000 resumes of as many real passages, each joined of the halves of two."""
    joined = [
        _halves(texts[place % len(texts)], texts[(place * 31 + place // len(texts) + 7) % len(texts)]) for place in range(SPEED_RESUMES)
    ]
    about: dict[str, object] = {"data": f"{SPEED_RESUMES:,} resumes", "characters": round(statistics.mean(map(len, joined)))}
    model = ResumeRanking(ResumeRankingConfig(disk_cache_mib=0)).fit(read_rows(sample_of("resume_ranking"), ResumeRankingExample))
    candidates = tuple(Candidate(id=str(place), text=text) for place, text in enumerate(joined))
    cold = _seconds(lambda: model.predict([ResumeRankingQuery(job=Job(title="software developer", text=job), candidates=candidates)]))
    warm = _seconds(lambda: model.predict([ResumeRankingQuery(job=Job(title="web developer", text=job), candidates=candidates)]))
    yield {"system": "foretell", **about, "cold_seconds": cold, "warm_seconds": warm, "from_disk_seconds": _from_disk(candidates, job)}
    naive = _seconds(lambda: neural.encode(joined, normalize_embeddings=True, show_progress_bar=False))
    yield {"system": "sentence-transformers, whole texts", **about, "cold_seconds": naive}


def _from_disk(candidates: tuple[Candidate, ...], job: str) -> float:
    """Seconds in a new process, as it were, that finds the vectors on disk."""
    query = ResumeRankingQuery(job=Job(title="software developer", text=job), candidates=candidates)
    with TemporaryDirectory() as folder:
        model = ResumeRanking().fit(read_rows(sample_of("resume_ranking"), ResumeRankingExample))
        model.predict([query])
        model.save(Path(folder) / "model")
        again = ResumeRanking.load(Path(folder) / "model")
        return _seconds(lambda: again.predict([query]))


def _halves(one: str, two: str) -> str:
    return one[: len(one) // 2] + "\n" + two[len(two) // 2 :]


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return round(time.perf_counter() - began, 2)

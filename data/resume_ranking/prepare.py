"""Write ``sample.csv``: vacancies and resumes of made-up people, each resume graded for each vacancy it was sent to, with a planted truth.

Eight families of work have two or three roles each. A resume is written from one role, with a level of how deep its work with the
role's tools goes; a vacancy asks for a role, some of its tools and years. The grade follows from these alone: 3 the role, with most of
the tools and the years; 2 the role; 1 another role of the family; 0 another family. Names, addresses, births and families are drawn
apart from it. Some resumes fit by their role and hardly name its tools; some name many tools of a role that they never did.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

JOBS_PER_ROLE = 2
OWN, RELATED, OTHERS = 5, 3, 6
"""Resumes that a vacancy gets from its own role, from its family and from elsewhere."""

RESUMES_PER_ROLE = 7
NOW = 2026


class Role(NamedTuple):
    """What a role is called, works with and does."""

    family: str
    title: str
    titles: tuple[str, ...]
    tools: tuple[str, ...]
    work: tuple[str, ...]


ROLES = (
    Role("software", "Backend engineer", ("Backend developer", "Python developer", "Server-side engineer"),
         ("Python", "FastAPI", "PostgreSQL", "Docker", "Redis", "REST APIs"),
         ("Built {tool} services that handle bookings", "Designed the schema behind the orders with {tool}",
          "Moved a monolith to small services on {tool}", "Cut response times of the checkout in half")),
    Role("software", "Web developer", ("Python web developer", "Full stack developer", "Web engineer"),
         ("Python", "Flask", "PostgreSQL", "JavaScript", "Redis", "REST APIs"),
         ("Wrote web applications with {tool}", "Kept a news site running on {tool}",
          "Built forms and account pages for readers", "Added search to an online shop with {tool}")),
    Role("software", "Front-end engineer", ("Front-end developer", "UI engineer", "JavaScript developer"),
         ("React", "TypeScript", "CSS", "HTML", "Jest", "Figma"),
         ("Built components in {tool} for a design system", "Made pages usable by keyboard and screen reader",
          "Rewrote the product pages with {tool}", "Measured and shortened loading times in the browser")),
    Role("data", "Data scientist", ("Machine learning scientist", "Statistician", "Data science consultant"),
         ("Python", "pandas", "scikit-learn", "SQL", "statistics", "PyTorch"),
         ("Forecast demand with {tool}", "Ran and read controlled experiments", "Built a model of customer value in {tool}",
          "Explained findings to people who decide")),
    Role("data", "Data engineer", ("ETL developer", "Data platform engineer", "Data warehouse developer"),
         ("SQL", "Apache Spark", "Airflow", "Kafka", "dbt", "Snowflake"),
         ("Built pipelines with {tool} that load sales every night", "Modelled the warehouse in {tool}",
          "Moved batch jobs to streams on {tool}", "Wrote tests for the quality of data")),
    Role("infrastructure", "DevOps engineer", ("Site reliability engineer", "Platform engineer", "Cloud engineer"),
         ("Kubernetes", "Terraform", "AWS", "Linux", "Prometheus", "CI/CD"),
         ("Ran clusters on {tool}", "Wrote infrastructure as code with {tool}", "Shortened releases from days to minutes",
          "Was on call, and wrote down what was learned from incidents")),
    Role("infrastructure", "Network security engineer", ("Security engineer", "Network engineer", "Information security analyst"),
         ("firewalls", "Cisco", "VPN", "Linux", "SIEM", "penetration testing"),
         ("Configured {tool} for twelve offices", "Found and closed weaknesses before attackers did",
          "Watched traffic with {tool} and followed up alarms", "Trained staff against phishing")),
    Role("people", "HR manager", ("Human resources manager", "Head of people", "Personnel manager"),
         ("recruitment", "payroll", "employee relations", "onboarding", "labour law", "Workday"),
         ("Led {tool} for 400 employees", "Settled conflicts between staff and management", "Introduced yearly reviews and pay bands",
          "Set up {tool} for three new sites")),
    Role("people", "Recruiter", ("Talent acquisition partner", "Recruitment consultant", "Sourcer"),
         ("recruitment", "interviewing", "LinkedIn Recruiter", "onboarding", "employer branding", "Greenhouse"),
         ("Filled forty posts a year, from warehouse to board", "Ran {tool} for engineers", "Trained managers in fair {tool}",
          "Spoke at fairs and universities")),
    Role("commerce", "Sales manager", ("Head of sales", "Regional sales manager", "Key account manager"),
         ("CRM", "Salesforce", "negotiation", "forecasting", "lead generation", "B2B sales"),
         ("Grew revenue of a region by a third", "Led eight representatives and their targets", "Won large accounts through {tool}",
          "Kept the pipeline honest in {tool}")),
    Role("commerce", "Marketing manager", ("Digital marketing manager", "Brand manager", "Campaign manager"),
         ("SEO", "Google Analytics", "content marketing", "CRM", "email campaigns", "social media"),
         ("Planned campaigns for spring and autumn", "Doubled visits from search with {tool}", "Ran {tool} for a chain of bakeries",
          "Measured what advertising brought in with {tool}")),
    Role("law", "Lawyer", ("Advocate", "Attorney", "Legal counsel"),
         ("contract law", "litigation", "legal research", "compliance", "drafting", "arbitration"),
         ("Represented tenants and landlords in court", "Advised a bank on {tool}", "Drafted and negotiated supply agreements",
          "Prepared witnesses and pleadings")),
    Role("engineering", "Civil engineer", ("Structural engineer", "Site engineer", "Construction engineer"),
         ("AutoCAD", "structural analysis", "concrete", "surveying", "quantity estimation", "MS Project"),
         ("Designed two road bridges", "Supervised sites and subcontractors", "Calculated foundations with {tool}",
          "Checked drawings and {tool} for a hospital")),
    Role("engineering", "Mechanical engineer", ("Design engineer", "Maintenance engineer", "Production engineer"),
         ("SolidWorks", "AutoCAD", "HVAC", "CNC", "finite element analysis", "lean manufacturing"),
         ("Designed pumps and valves in {tool}", "Kept a bottling line running", "Reduced scrap with {tool}",
          "Planned maintenance of boilers and compressors")),
    Role("engineering", "Electrical engineer", ("Power engineer", "Electrical design engineer", "Automation engineer"),
         ("PLC", "AutoCAD", "circuit design", "SCADA", "power distribution", "MATLAB"),
         ("Designed switchgear and {tool}", "Programmed {tool} for a paper mill", "Commissioned substations",
          "Measured and improved power quality")),
    Role("health", "Fitness trainer", ("Personal trainer", "Gym instructor", "Health coach"),
         ("nutrition", "strength training", "yoga", "first aid", "group classes", "rehabilitation exercises"),
         ("Trained forty clients towards goals of their own", "Led {tool} for beginners", "Planned {tool} after injuries",
          "Took care of members on the floor")),
)  # fmt: skip

DUTIES = {
    "Backend engineer": ("Develop the servers and databases behind our app", "Keep our services fast and easy to change"),
    "Web developer": ("Build and maintain our websites, from form to database", "Add features that visitors ask for"),
    "Front-end engineer": ("Turn designs into interfaces that are a pleasure to use", "Own how our pages look and load in the browser"),
    "Data scientist": ("Find out from data what customers will want", "Test ideas with numbers and tell the story"),
    "Data engineer": ("Bring data from many systems together, reliably", "Look after the warehouse and its nightly loads"),
    "DevOps engineer": ("Run our cloud platform and automate its releases", "Keep systems up and learn from outages"),
    "Network security engineer": ("Protect our networks against intruders", "Check systems for weaknesses and fix them"),
    "HR manager": ("Lead everything around staff, from contract to conflict", "Advise managers on how to treat people fairly"),
    "Recruiter": ("Find and win new colleagues for all our teams", "Guide candidates from first talk to first day"),
    "Sales manager": ("Lead the team that wins and keeps our customers", "Set targets and reach them"),
    "Marketing manager": ("Make our brand known, online and off", "Plan advertising and show what it brings"),
    "Lawyer": ("Give legal advice and act for clients in proceedings", "Write and review agreements"),
    "Civil engineer": ("Plan buildings, roads and bridges that last", "Oversee construction and its cost"),
    "Mechanical engineer": ("Design machines and their parts", "Keep our production equipment in good order"),
    "Electrical engineer": ("Plan electrical systems for factories", "Bring control and power equipment into service"),
    "Fitness trainer": ("Coach members towards better health", "Run courses and write training plans"),
}

FAMILIES = tuple(dict.fromkeys(role.family for role in ROLES))
FIRST = (
    "Amara",
    "Bruno",
    "Chen",
    "Dalia",
    "Emil",
    "Farah",
    "Goran",
    "Hana",
    "Ivan",
    "Jun",
    "Kofi",
    "Lena",
    "Mina",
    "Nils",
    "Olga",
    "Priya",
)
LAST = ("Abara", "Brandt", "Castillo", "Dumont", "Eriksen", "Farouk", "Grewal", "Horvat", "Ito", "Jansen", "Kaya", "Lindqvist", "Moreau")
TOWNS = ("Northbridge", "Lakeside", "Alderton", "Westhaven", "Oakfield")
EMPLOYERS = ("Harbour Foods", "Lumen Energy", "Orbit Travel", "Quarry Bank", "Riverside Clinic", "Tally Insurance", "Velvet Retail")
OPENINGS = ("We are looking for a colleague who", "In this role you", "You", "Our team wants someone who")

Depth = Literal["deep", "shallow", "listed"]


class Resume(NamedTuple):
    """A resume, and what is true of it.

    Parameters
    ----------
    depth
        ``deep``: works with most tools of the role; ``shallow``: does the role and hardly names a tool; ``listed``: lists the tools of
        its role and does the work of `did`.
    did
        The role whose work it tells of.
    group
        A group for reports on fairness, drawn apart from everything else.
    """

    resume_id: str
    role: Role
    did: Role
    depth: Depth
    years: int
    tools: tuple[str, ...]
    text: str
    group: str


class Vacancy(NamedTuple):
    """A vacancy, and what it asks for."""

    job_id: str
    role: Role
    tools: tuple[str, ...]
    years: int
    text: str


Row = tuple[str, str, str, str, int, str]
"""``job_id, job_text, resume_id, resume_text, relevance, group``."""


def generate(seed: int) -> list[Row]:
    """All graded pairs, job by job."""
    resumes, rng = resumes_of(seed), np.random.default_rng([seed, 2])
    rows: list[Row] = []
    for job in vacancies(seed):
        groups = (
            ([each for each in resumes if each.role == job.role], OWN),
            ([each for each in resumes if each.role.family == job.role.family and each.role != job.role], RELATED),
            ([each for each in resumes if each.role.family != job.role.family], OTHERS),
        )
        chosen = [group[place] for group, count in groups for place in rng.permutation(len(group))[:count]]
        rows += [(job.job_id, job.text, each.resume_id, each.text, grade(job, each), each.group) for each in sorted(chosen)]
    return rows


def grade(job: Vacancy, resume: Resume) -> int:
    """How well a resume fits: the planted truth."""
    if resume.did.family != job.role.family:
        return 0
    if resume.did != job.role:
        return 1
    most = len(set(job.tools) & set(resume.tools)) * 2 >= len(job.tools)
    return 3 if most and resume.years >= job.years else 2


def resumes_of(seed: int) -> list[Resume]:
    """The resumes, role by role."""
    rng = np.random.default_rng([seed, 0])
    return [
        _resume(f"r-{place * RESUMES_PER_ROLE + number:03}", role, rng)
        for place, role in enumerate(ROLES)
        for number in range(RESUMES_PER_ROLE)
    ]


def vacancies(seed: int) -> list[Vacancy]:
    """The vacancies, role by role."""
    rng = np.random.default_rng([seed, 1])
    return [
        _vacancy(f"j-{place * JOBS_PER_ROLE + number:02}", role, rng) for place, role in enumerate(ROLES) for number in range(JOBS_PER_ROLE)
    ]


def _vacancy(job_id: str, role: Role, rng: np.random.Generator) -> Vacancy:
    tools, years = _some(role.tools, 4, rng), int(rng.integers(2, 6))
    lines = [
        str(rng.choice([role.title, *role.titles])),
        f"{EMPLOYERS[rng.integers(len(EMPLOYERS))]} is growing. {OPENINGS[rng.integers(len(OPENINGS))]} will do what matters:",
        *(f"- {duty}" for duty in DUTIES[role.title]),
        "Requirements:",
        f"- {years}+ years of experience with {tools[0]}",
        f"- {tools[1]} and {tools[2]}",
        "- Clear writing and speaking",
        "Nice to have:",
        f"- {tools[3]}",
        "We offer thirty days of leave and a bicycle.",
    ]
    return Vacancy(job_id, role, tools, years, "\n".join(lines))


def _resume(resume_id: str, role: Role, rng: np.random.Generator) -> Resume:
    depth: Depth = ("deep", "deep", "shallow", "listed")[rng.integers(4)]
    others = [other for other in ROLES if other.family != role.family]
    did = others[rng.integers(len(others))] if depth == "listed" else role
    years = int(rng.integers(1, 12))
    tools = _some(did.tools, 5 if depth == "deep" else 1, rng)
    text = "\n".join([*_person(rng), *_career(did, tools, years, rng), *_skills(role, depth, tools, rng), *_personal(rng)])
    return Resume(resume_id, role, did, depth, years, tools, text, str(rng.choice(("blue", "green"))))


def _person(rng: np.random.Generator) -> list[str]:
    first, last, town = (str(rng.choice(names)) for names in (FIRST, LAST, TOWNS))
    return [f"{first} {last}", f"{rng.integers(1, 99)} {last} Street, {town}", f"{first}.{last}@example.org".lower(), ""]


def _career(role: Role, tools: Sequence[str], years: int, rng: np.random.Generator) -> list[str]:
    """One or two employments, the newest first; together as long as `years`."""
    title, earlier = (str(name) for name in rng.permutation(role.titles)[:2])
    split = NOW - int(rng.integers(1, years)) if years > 2 else NOW - years
    work = [_filled(line, tools, rng) for line in rng.permutation(role.work)]
    lines = [title, "", "Experience", f"{title}, {rng.choice(EMPLOYERS)}, Jan {split} - present", *(f"- {line}" for line in work[:2])]
    if split > NOW - years:
        lines += [f"{earlier}, {rng.choice(EMPLOYERS)}, Jan {NOW - years} - Dec {split - 1}", *(f"- {line}" for line in work[2:])]
    return [*lines, ""]


def _skills(role: Role, depth: Depth, tools: Sequence[str], rng: np.random.Generator) -> list[str]:
    """A list of skills; the one whose work was another lists the whole role's."""
    if depth == "shallow":
        return ["Skills", "Reliable, curious, good with people", ""]
    return ["Skills", ", ".join(rng.permutation(role.tools if depth == "listed" else list(tools))), ""]


def _personal(rng: np.random.Generator) -> list[str]:
    finished = int(rng.integers(1990, 2020))
    status = ("Married, two children", "Single", "Divorced")[rng.integers(3)]
    return [
        "Education",
        f"Bachelor, University of {rng.choice(TOWNS)}, {finished}",
        "",
        "Personal",
        f"Born 12 May {finished - 22}. {status}.",
    ]


def _some(names: Sequence[str], count: int, rng: np.random.Generator) -> tuple[str, ...]:
    return tuple(str(name) for name in rng.permutation(names)[:count])


def _filled(line: str, tools: Sequence[str], rng: np.random.Generator) -> str:
    return str(line).format(tool=rng.choice(tools))


def main(folder: Path = Path(__file__).parent) -> None:
    """Write the sample beside this file, or to another folder."""
    with (folder / "sample.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("job_id", "job_text", "resume_id", "resume_text", "relevance", "group"))
        writer.writerows(generate(seed=0))


if __name__ == "__main__":
    main()

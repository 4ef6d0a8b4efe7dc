"""The same work by another person: resumes that differ in who somebody is, and in nothing else.

A ranking that is blind to the person gives each of them the same score, to the last digit.

References
----------
Bertrand and Mullainathan (2004), Are Emily and Greg More Employable than Lakisha and Jamal? American Economic Review 94(4).
Kusner et al. (2017), Counterfactual Fairness, NeurIPS.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Person:
    """Who somebody is.

    Parameters
    ----------
    subject, possessive
        Pronouns, as they begin a sentence.
    born
        Date of birth, as written.
    finished
        Year of graduation.
    """

    name: str
    title: str
    subject: str
    possessive: str
    address: str
    email: str
    phone: str
    born: str
    finished: int
    status: str
    gender: str
    nationality: str
    religion: str


PEOPLE = (
    Person("Emily Walsh", "Ms.", "She", "Her", "12 Oak Street, Boston, MA 02118", "emily.walsh@example.org", "+1 617 555 0134",
           "4 March 1994", 2016, "Single", "Female", "American", "Christian"),
    Person("Jamal Washington", "Mr.", "He", "His", "880 Martin Luther King Drive, Chicago, IL 60615", "jwash@example.com",
           "(773) 555-0187", "17/11/1971", 1993, "Married, two children", "Male", "American", "Muslim"),
    Person("Priya Raghunathan", "Mrs.", "She", "Her", "Flat 4B, MG Road, Pune 411001", "priya_r@example.in", "+91 98200 12345",
           "1988-07-22", 2010, "Married", "Female", "Indian", "Hindu"),
    Person("Nguyen Thi Lan", "Miss", "She", "Her", "21 Le Loi, Hanoi", "lan.nguyen@example.vn", "+84 24 3825 0000",
           "09.05.2000", 2022, "Single", "Female", "Vietnamese", "Buddhist"),
    Person("Wolfgang Müller-Lüdenscheidt", "Dr.", "He", "His", "Kastanienallee 7, 10435 Berlin", "w.mueller@example.de",
           "+49 30 1234567", "1 January 1959", 1984, "Divorced", "Male", "German", "Catholic"),
    Person("Aisha bint Khalid Al-Farsi", "Mrs.", "She", "Her", "P.O. Box 220, Muscat", "aisha@example.om", "+968 2412 3456",
           "30 September 1980", 2002, "Widowed, three children", "Female", "Omani", "Muslim"),
    Person("Sean O'Brien", "Mr.", "He", "His", "3 Quay Lane, Galway", "sean@example.ie", "+353 91 555 123",
           "12 December 1965", 1988, "Separated", "Male", "Irish", "Catholic"),
    Person("Alex Kim", "Mx.", "They", "Their", "Apt 1203, Gangnam-gu, Seoul", "alexkim@example.kr", "+82 2 555 0199",
           "1999/02/14", 2021, "Single", "Non-binary", "Korean", "None"),
)  # fmt: skip

DETAILS = tuple(field.name for field in fields(Person))


def with_person(work: str, person: Person) -> str:
    """A resume: the work, with the person as resumes tell of one before and after it."""
    before = f"""{person.title} {person.name}
{person.address}
Email: {person.email} | Phone: {person.phone}

Summary
{person.name} likes to learn. {person.subject} is reliable, and {person.possessive.lower()} colleagues say so.

"""
    after = f"""

Education
Bachelor of Science, State University, {person.finished}

Personal details
Date of birth: {person.born}
Gender: {person.gender}
Marital status: {person.status}
Nationality: {person.nationality}
Religion: {person.religion}
"""
    return before + work + after


def swaps(person: Person, others: tuple[Person, ...] = PEOPLE) -> dict[str, Person]:
    """Persons that differ from one in a single detail, in pronouns alone, or in everything; by what was swapped."""
    found: dict[str, Person] = {}
    for number, other in enumerate(others):
        if other == person:
            continue
        for detail in DETAILS:
            found[f"{detail} {number}"] = replace(person, **{detail: getattr(other, detail)})
        found[f"pronouns {number}"] = replace(person, subject=other.subject, possessive=other.possessive)
        found[f"everything {number}"] = other
    return found

"""Lists of words by which names and titles are told apart."""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


TITLES = _set(
    """
    account accountant administrator advisor advocate agent analyst apprentice architect artist assistant associate attorney
    auditor banker  broker buyer ceo cfo chemist chief clerk coach consultant contractor coordinator coo counsel cto curator dba
    designer developer director  doctor economist editor electrician engineer estimator evangelist executive expert fitter founder
    freelance freelancer fresher  generalist graduate hr intern inspector instructor journalist jurist lead lecturer librarian
    machinist manager mechanic nurse officer  operator optician owner paralegal partner pharmacist photographer physician
    physiotherapist planner plumber practitioner president  principal producer professional professor programmer receptionist
    recruiter representative researcher sales scientist scrum secretary  seo specialist strategist student supervisor surgeon
    surveyor teacher technician technologist tester therapist trainee trainer  translator tutor undergraduate underwriter
    veterinarian vp webmaster welder writer entwickler ingenieur berater leiter kaufmann kauffrau  ingénieur développeur
    responsable ingeniero desarrollador gerente
    """
)
"""Words of which one is enough to make a line tell of work."""

TRADES = _set(
    """
    actor baker barber butcher butler captain carpenter cashier chef cleaner cook dancer driver farmer fisher gardener guard judge
    mason  miner musician painter pilot porter potter singer steward tailor turner waiter weaver
    """
)
"""Words that are trades and family names."""

GRADES = _set(
    """
    senior junior sr jr chief head principal staff certified licensed registered chartered executive deputy experienced sous
    pastry private  truck full-stack front-end back-end full front back mid entry level assistant aspiring professional personal
    master data software web  mobile cloud product project business human medical legal mechanical electrical civil chemical
    machine quality network security system  systems database information technical commercial general financial office customer
    """
)
"""Words that come before a title."""

PARTICLES = _set(
    """
    van von der den de del della di da dos das du la le el al bin bint ibn binti ben ten ter zu zur af av abu san st y e
    """
)
"""Small words inside names."""

NAME_WORDS = _set(
    """
    abundance angel art august autumn bell best bill bishop bob brook brown carol chance charity chase christian church clay cliff
    crystal dale dawn day dean drew earnest east faith field fields fisher ford forest fox frank gay gene glass gold good grace
    grant green hall hand harmony heath hill hope hunter iris ivy jack jade jasmine joy june justice king lane law lily long love
    mark mason max may mercy miles misty north novel park patience paul pearl penny pierce price pride prudence ray reed rich
    rivers rob rock rose ruby rush sage saint sandy sky snow star stone sterling storm summer sunny temple trinity victor violet
    ward wells west will wise wood woods young
    """
)
"""Names that also are words: where they open a sentence, what follows must be told of a person."""

FUNCTION_WORDS = _set(
    """
    a an and as at by for from i in is of on or the to with my who that und der die mit et de les en con
    """
)
"""Small words that make a line a sentence."""

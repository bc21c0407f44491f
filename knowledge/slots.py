"""Read the details of a quote out of one customer message: make, model, year, mileage, the driver's age.

Why: inside a quote most messages are answers ("2019", "unos 40 mil", "I'm 34"). Reading them here takes no time,
needs no model, and tells the router that the message belongs to the quote. What is not certain is left out: a wrong
detail makes a wrong price, a missing one only a question.
How: numbers in words become digits, vehicles are found by their names, traps (phones, prices, dates ...) are blanked,
and every number left is given to a slot by its unit, its label or the question it answers. Words that add nothing are
listed below; any other word makes the message more than an answer.
This file is long: the words of six languages stand beside the rules that use them, because the two change together.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise, takewhile, zip_longest
from typing import Literal

from knowledge.vehicles import Mention, Vehicles, fold

Command = Literal["skip", "help", "start_over"]

_READ_CHARACTERS = 600
_MILES_PER_KM = 0.621371
_YEARS = range(1900, 2101)
_OLDEST_SHORT_YEAR = 50  # years ago; '34 is no model year
_AGES, _LIKELY_AGES = range(1, 131), range(16, 111)
_MILEAGES, _LIKELY_MILEAGES = range(2_000_001), range(1_000, 400_001)
_MOST = 9_999_999
_YEAR_DIGITS, _SHORT_YEAR_DIGITS = 4, 2
_AROUND = 6  # tokens beside a number that may say what it is
_VALUE, _FOREIGN = "\x01", "\x02"  # blanked spans: read already; means something else


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that add nothing to an answer, folded. English, Spanish, French, German, Italian, Portuguese.
_LINKS = _words(
    "i i'm im am i've ive it it's its is was be has have had got my the a an and of on at with for from in to this that "
    "that's he's she's he she they we our we're there's there here's here as by it'll would should will were "
    "es el la lo los las un una mi mis tengo tiene con y e de del soy esta en al son era seria tendra fue ya le les me "
    "ha hace va que su tenemos nuestro nuestra yo te "
    "c'est est le une j'ai mon ma et a elle il du des au ai je suis "
    "ist ein eine einen mein meine ich bin habe und das der die den hat von mit aus vom er sie sind "
    "ho mio mia ha di sono uno gli della dello dal "
    "um uma uns umas meu minha tenho tem o os com do da sou esta"
)
_HEDGES = _words(
    "about around approximately approx roughly maybe perhaps probably like almost nearly over under just only some "
    "close more or less give take think guess believe say exactly exact sure not don't dont know ish "
    "unos unas aproximadamente aprox como casi mas o menos alrededor cerca creo quiza quizas tal vez debe deben ser seran "
    "sera andar andara por ahi algo apenas solo poco pico poquito mucho muchos monton diria se seguro segura exactamente recuerdo bien pongamos "
    "environ peu pres presque crois plus ou moins circa ca ungefahr etwa rund fast knapp gut glaube ich "
    "piu meno quasi credo forse mais menos quase acho talvez"
)
_POLITE = _words(
    "please thanks thank you hi hello hey yes yeah yep yup ok okay sure well so oh um umm uh hmm er sir ma'am right great then "
    "btw or lol haha though tho anyway lot much many uff "
    "por favor gracias hola si vale claro bueno buena buenas buenos dias tardes noches pues dale perfecto listo eh entonces "
    "s'il vous plait merci bonjour oui bitte danke ja hallo grazie ciao per favore obrigado obrigada ola sim"
)
_CORRECTING = _words(
    "no nope nah not sorry mean meant correction actually rather oops wait mistake mistaken bad wrong instead isn't wasn't but change "
    "perdon perdona perdone disculpa disculpe siento quise queria decir mejor dicho realidad digo corrijo correccion "
    "equivoque confundi dije mal rectifico sino said cambia cambialo "
    "pardon non pas voulais dire plutot fait desole entschuldigung nein nicht meinte doch eigentlich sondern "
    "scusa scusi volevo anzi realta desculpe desculpa nao quis dizer verdade alias"
)
_VEHICLE_WORDS = _words(
    "car vehicle auto automobile truck pickup bike motorbike motorcycle scooter suv van sedan hatchback ev electric hybrid "
    "coche carro vehiculo moto motocicleta camioneta automovil furgoneta camion electrico electrica hibrido "
    "voiture vehicule wagen fahrzeug motorrad macchina veicolo carro veiculo"
)
_YEAR_LABELS = _words("year yr model modelo ano annee anno jahr baujahr modell modele built")
_MILEAGE_LABELS = _words(
    "mileage odometer odo clock milage kilometraje millaje kilometrage odometro odometre recorrido recorridos marca "
    "cuentakilometros kilometerstand chilometraggio contachilometri quilometragem rodados"
)
_AGE_LABELS = _words(
    "age aged edad alter eta idade turned cumpli cumplo driver conductor conductora chauffeur conducteur fahrer guidatore "
    "conducente motorista rider piloto motociclista motard"
)
_OTHER_LABELS = _words(
    "make brand principal main old miles mile mi years marca driving drive own conduzco manejo "
    "marque marke alt vieux new used nuevo nueva "
    "usado usada reads says shows dice pone indica millas km kms kilometros kilometers tacometro version just recien cumplidos cumplido "
    "license licence licensed licencia carnet permiso tinc mam ik ben dacht denk c d j l n s ll qu dell"
)
_FILLERS = (
    _LINKS
    | _HEDGES
    | _POLITE
    | _CORRECTING
    | _VEHICLE_WORDS
    | _YEAR_LABELS
    | _MILEAGE_LABELS
    | _AGE_LABELS
    | _OTHER_LABELS
)
_FIRST_PERSON = _words("i'm im am tengo j'ai ai ho tenho bin soy tuviera tuviese tinc mam ben")
_PAST = _words("was were be turn turned had")  # after "i": "what if I was 25"
# Somebody else, whose age is not the driver's unless the driver's age was asked for.
_OTHERS = _words(
    "son daughter kid child wife husband mother father mom mum dad brother sister hijo hija nino nina esposa esposo mujer "
    "marido novia novio madre padre mama papa hermano hermana fils fille femme mari sohn tochter frau mann figlio figlia "
    "moglie marito filho filha"
)
_BOUNDS = _words(
    "under over above below than before after older newer menos mas hasta antes despues mayores menores"
)
# Words that deny what follows, and the words that must stand between: "instead of 2019", "en vez de 2019".
_DENIALS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(["not", "isn't", "wasn't", "nicht", "pas"], frozenset[str]()),
    "instead": _words("of"),
    "rather": _words("than"),
    "vez": _words("de"),
    "lugar": _words("de"),
}
_SOFT_NEGATIONS = _words("no non nao")
_COPULAS = _words("is was it's its es era c'est ist e of than de the el la")
_ARTICLES = _words("a an un una del modelo ein eine um uma")
_LABELS = {"year": _YEAR_LABELS, "mileage": _MILEAGE_LABELS, "driver_age": _AGE_LABELS}
_OLD = _words("old edad alt vieux idade eta")
_ON = _words("on in at en al del de sur au auf sul no")
# "for 10 years", "hace 3 años", "since 2019": a stretch of time, not an age and not a model year.
_TIME_WORDS = _words(
    "for since in within last past next ago hace desde durante depuis seit da every cada until hasta"
)
_SINCE = _words("since desde depuis seit hasta until hace")
_AFTER_YEARS = _words(
    "ago experience license licence licensed driving without no claims warranty term now carnet experiencia licencia "
    "garantia atras conduciendo manejando sin permis fa vor"
)
_VEHICLES_AND_IT = _VEHICLE_WORDS | {"it", "it's"}
_ODOMETERS = _MILEAGE_LABELS - {"marca"}
_MERE_HEDGES = _HEDGES - _TIME_WORDS
_AFTER_ANSWER = _POLITE | {","}
_SMALL_WORDS = _COPULAS | _ARTICLES
_RANGES = _words("range autonomia autonomie reichweite radius radio within every cada tow towed remolque")

_COMMAND_PHRASES: Mapping[Command, str] = {
    "skip": "skip|skip it|skip this|skip that|skip this one|skip that one|pass|next|next question|i don't know|i dont know|"
    "don't know|dont know|idk|no idea|not sure|i'm not sure|im not sure|i don't remember|i can't remember|i have no idea|"
    "rather not say|i'd rather not say|prefer not to say|later|can we do that one later|"
    "saltar|salta|saltalo|saltate|omitir|omite|paso|siguiente|pasa a la siguiente|no se|no lo se|no se decirte|ni idea|"
    "no tengo idea|no tengo ni idea|no recuerdo|no me acuerdo|no estoy seguro|no estoy segura|prefiero no decirlo|"
    "prefiero no decirla|luego te lo digo|"
    "passer|je ne sais pas|weiter|uberspringen|weiss nicht|weiss ich nicht|keine ahnung|salta questa|non lo so|non so|"
    "pular|nao sei|geen idee",
    "help": "help|help me|i need help|what do you mean|what do you mean by|what does that mean|what is that|what's that|"
    "why|why do you need that|why do you need it|ayuda|ayudame|necesito ayuda|que es eso|que es eso de|que significa|"
    "que significa eso|que quieres decir|que quiere decir|para que|para que lo necesitas|por que|aide|hilfe|aiuto|ajuda",
    "start_over": "start over|start again|start from scratch|restart|reset|new quote|begin again|from the beginning|"
    "empezar de nuevo|empezar de cero|empezar otra vez|empecemos de nuevo|empezamos de nuevo|volver a empezar|"
    "volvamos a empezar|comenzar de nuevo|desde cero|desde el principio|de nuevo|otra cotizacion|nueva cotizacion|"
    "reiniciar|recommencer|von vorne|neu anfangen|ricominciare|recomecar",
}
_COMMANDS = {phrase: command for command, row in _COMMAND_PHRASES.items() for phrase in row.split("|")}
_COMMAND_FRAMES = (
    frozenset[str](),
    _words(
        "please thanks thank you ok okay por favor gracias can we i want to let's sorry hey eh oh um quiero hola"
    ),
    _words(
        "please thanks ok por favor gracias hey oh um eh uh well pues the exact exactly name of about that one my make brand "
        "model year mileage age car la el del esa ese marca modelo ano edad kilometraje millaje exacto exactamente o a ahora"
    ),
)
# "where would I see the model name": where to find what was asked for, and nothing else.
_WHERE = re.compile(
    r"\W*(?:where|how) (?:do|can|would|could|should) i (?:find|see|check|get|look|know)"
    r"(?: (?:it|that|this|out|up|for|at|the|my|make|model|year|mileage|name|number))*\W*"
    r"|\W*(?:donde|como|y donde|y como) (?:l[oa] |se )?(?:miro|veo|encuentro|averiguo|dice|sale|esta|se|puedo ver(?:l[oa])?)"
    r"(?: (?:eso|el|la|mi|modelo|marca|ano|kilometraje|millaje))*\W*"
)

_CORRECTION = re.compile(
    r"^\W*(?:no|nope|nah|nein|non|nao)\b(?!\W*(?:more|less|mas|menos|se|lo|idea|tengo|estoy|me|recuerdo|problem))"
    r"|\b(?:i meant?|meant|sorry|correction|actually|oops|wait|my (?:mistake|bad)|i was (?:wrong|mistaken)|instead|i said\b.{1,30}\bbut"
    r"|(?:it's|is|was|it) not|isn't|not (?:a |the )?(?=\d)"
    r"|change (?:it|that|the|my)|make (?:it|that)|perdona?e?|perdon|disculp[ae]|lo siento|(?:quise|queria) decir"
    r"|mejor dicho|en realidad|digo|corrijo|correccion|me equivoque|me confundi|dije mal|rectifico|sino|mas bien|cambia(?:lo)?"
    r"|pardon|je voulais dire|plutot|desole|entschuldigung|ich meinte|eigentlich|sondern"
    r"|scus[ai]|volevo dire|anzi|in realta|desculp[ae]|quis dizer|na verdade|alias)\b"
)

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen|cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis "
    "diecisiete dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis "
    "veintisiete veintiocho veintinueve"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety|veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa"
_HUNDREDS = (
    "ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
)
_NUMBERS: Mapping[str, int] = {
    **{word: value for row in _SMALL.split("|") for value, word in enumerate(row.split())},
    **{word: 10 * value for row in _TENS.split("|") for value, word in enumerate(row.split(), start=2)},
    **{word: 100 * value for value, word in enumerate(_HUNDREDS.split(), start=1)},
    **{word[:-2] + "as": 100 * value for value, word in enumerate(_HUNDREDS.split(), start=1) if value > 1},
    "un": 1,
    "una": 1,
    "veintiun": 21,
    "cien": 100,
    "fourty": 40,
    "hundred": 100,
    "thousand": 1000,
    "mil": 1000,
}
# Words that mean a number only in company: "once I crashed", "un coche", "this one".
_NEED_COMPANY = _words("one un una uno once hundred thousand mil zero cero")
_LIKE_ARTICLES = _words("one un una uno once")
_SPOKEN = re.compile(r"[^\W\d_]+|(?<![\d.,])\d{1,3}(?=\s{1,3}(?:thousand|mil)\b)")
_SPOKEN_GAP = re.compile(r"\s{0,3}-?\s{0,3}")
_CONNECTORS = _words("and y")
_TEN, _HUNDRED, _THOUSAND = 10, 100, 1000
_CENTURIES = (18, 19, 20)

_MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
    r"|janvier|fevrier|mars|avril|juin|juillet|aout|januar|februar|mai|juni|juli|dezember|gennaio|febbraio|giugno|luglio"
    r"|janeiro|fevereiro|maio|junho|julho)\b"
)
_MONEY = r"(?:dollars?|usd|euros?|eur|dolares|dolar|pesos?|bucks|mxn|reais|libras|pounds)\b"
_NUMBER_LABELS = (
    r"(?:policy|poliza|claim|siniestro|zip|postal|phone|telefono|tel|celular|movil|whatsapp|plate|matricula|placa|vin|ticket"
    r"|reference|referencia|ref|deductible|deducible|franquicia|account|cuenta|card|tarjeta|dni|ssn|calle|street|apt|highway"
    r")"
)
# Blanked before vehicles are looked for: "leaf@nissan.example", "me llamo Mercedes", "I live in Tucson".
_NAMES = (
    re.compile(r"(?<!\S)(?:[^\s@]*@|https?://|www\.)\S*"),
    re.compile(
        r"\b(?:my name is|me llamo|mi nombre es|je m'appelle|ich heisse|mi chiamo|meu nome e|(?:live|lives) in|vivo en|moved to)\s+[^\W\d_]+"
    ),
)
_TRAPS = (
    re.compile(
        rf"(?<![\d.,])[$€£¥]\s?\d[\d.,]*(?:\s?(?:k|mil|thousand)\b)?|(?<![\d.,])\d[\d.,]*\s?(?:k\s?|mil\s|thousand\s)?(?:[$€£%]|{_MONEY}|percent\b|por ciento\b)"
    ),
    re.compile(
        r"\+\d[\d ().-]{6,18}\d|\(\d{2,4}\)\s?\d[\d .-]{4,12}\d|(?<![\d.,-])\d{1,4}(?:-\d{2,4}){2,4}(?!\d)|(?<!\d)\d{3}-\d{4}(?!\d)"
    ),
    re.compile(
        r"(?<!\d)(?:\d{3}[ .]\d{3}[ .]\d{4}|\d{3} \d{3} \d{3}|\d{3} \d{2} \d{2} \d{2}|\d{2}(?: \d{2}){4}|\d{8,})(?!\d)"
    ),
    re.compile(
        r"(?<![\d/.,-])(?:\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}([-/.])\d{1,2}\1\d{2,4}|\d{1,2}/\d{1,4})(?![\d/-])"
    ),
    re.compile(
        rf"\b{_MONTHS}\.?(?:\s+de[l]?)?\s+\d{{1,4}}(?:st|nd|rd|th)?(?:,?\s+(?:of\s+)?\d{{4}})?(?!\d)|(?<!\d)\d{{1,2}}(?:st|nd|rd|th)?\s+(?:de\s+|of\s+)?{_MONTHS}(?:\s+(?:del?\s+)?\d{{4}})?"
    ),
    re.compile(r"(?<!\d)\d{1,2}:\d{2}(?!\d)|(?<!\d)\d{1,2}\s?(?:am|pm|a\.m|p\.m)\b"),
    re.compile(
        rf"\b{_NUMBER_LABELS}(?:\W{{1,3}}(?:number|numero|num|no|nr|code|codigo|id|is|es|de|n))*\W{{1,3}}\w*\d[\w.,-]*"
    ),
    re.compile(
        r"\b(?:born|nacid[oa]|naci|nat[oa]|geboren|nascid[oa]|soy del?)\b[^\d.,;!?]{0,15}\d{2,4}(?!\d)"
    ),
    re.compile(r"(?<![\w'])[^\W\d_]+-?\d[\w-]*"),
    # "between 50 and 60k", "10-12k": a range is no figure.
    re.compile(r"\b(?:between|entre|zwischen|tra|fra)\s\d[\d.,k]*\s(?:and|y|et|und|e)\s\d[\d.,]*k?"),
    re.compile(r"(?<![\d.,])\d{1,3}(?:k|[.,]?000)?\s?(?:-|to|a|or|o)\s?\d{1,3}(?:k|[.,]?000)\b"),
)
# Said beside the answer, and no part of it: "2022, bought it in 2024", "born in 1990 so I'm 35", "29, turning 30 next month".
_ASIDES = (
    re.compile(
        r"\b(?:i )?(?:bought|purchased|got|leased)(?: it| her| him| that| mine)?(?: new| used)? in \d{4}\b"
        r"|\b(?:l[oa] )?(?:compre|comprad[oa])(?: nuev[oa]| usad[oa])? en(?: el)?(?: ano)? \d{4}\b"
        r"|\b(?:(?:i was|i'm|im) )?born in \d{4}\b|\bnaci en(?: el)?(?: ano)? \d{4}\b"
    ),
    re.compile(
        r"\b(?:turning|about to turn|i turn|i'll be|almost|cumplo|cumplire|casi) \d{1,3}(?: anos)?"
        rf"(?: (?:soon|pronto)| (?:in|en) {_MONTHS}| (?:next|this|el|la|este|esta)(?: proxim[oa])? (?:month|week|year|mes|semana|ano)(?: que viene)?)\b"
    ),
)
_HALF = re.compile(r"\b(\d{1,3}) and a half (?:thousand|k)\b")
_TRIM_LETTERS = 3
_NEAR = 24  # characters before a name in which a year or a preposition belongs to it
_PLACE = re.compile(r"\b(?:in|from|near|to|en|desde|hasta|nach|aus|em)\s{1,3}$")
_YEAR_BEFORE = re.compile(r"(?:\b(?:19|20)\d\d|'\d\d)\s{1,3}$")
_YEAR_BEHIND = re.compile(
    r"\s{0,3}[,(]?\s{0,3}(?:(?:del?|from|ano|modelo|vom|du|dal)\s{1,3}){0,2}(?:(?:19|20)\d\d\b|'\d\d\b)"
)
_MONTH = re.compile(_MONTHS)
_PLAIN_SIGNS = str.maketrans("‘’´`" + _VALUE + _FOREIGN, "''''  ")
_ZERO = re.compile(r"\b(?:zero|cero)\b")
_THIS_YEAR, _LAST_YEAR = (
    re.compile(r"\bthis year's\b|\bde este ano\b"),
    re.compile(r"\blast year's\b|\bdel ano pasado\b"),
)
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_DRAWL = re.compile(r"([^\W\d_])\1{2,}")
_THANKS = re.compile(r"\bmil gracias\b")

# "12,000 miles a year", "20 miles away": not what the odometer shows.
_RATE = re.compile(
    r"\s{0,3}(?:(?:/|(?:an?|per|each|every|al|por|cada|par|pro|all')\s)\s?(?:year|yr|annum|month|week|day|hour|ano|mes|semana"
    r"|dia|an|mois|jahr|monat|anno|mese)\b|yearly|annually|monthly|daily|anuales|mensuales|diarios|away|range|de autonomia"
    r"|to (?:work|school)|from (?:home|work|here))"
)
_TOKEN = re.compile(
    r"(?P<value>\x01+)|(?P<foreign>\x02+)"
    r"|(?P<short>')?(?P<figure>\d{1,3}(?:(?P<mark>[., '])\d{3}(?:(?P=mark)\d{3})*)(?!\d)|\d{1,3}[.,]\d{1,2}(?!\d)|\d+)"
    r"(?:[ -]?(?P<scale>k|thousand|thou|mil|mille|mila|tausend|tsd)(?![^\W_]))?"
    r"(?:[ -]?(?:(?P<km>kms?|kilomet\w+|chilometri|quilomet\w+)|(?P<miles>miles?|millas?|milhas|meilen|miglia|milles"
    r"|mi(?!\s+(?:coche|carro|auto|moto|edad|vehiculo|camioneta|modelo)))"
    r"|(?P<years>years?|yrs?|anos?|ans|anni|jahren?|anys|jaar|lata?|anitos|y\.?/?o))(?![^\W_]))?"
    r"|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)*)|(?P<sign>[^\s\w]|_)"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one message says about the quote.

    Attributes:
        values: Slot -> value. Makes and models by the names of vehicles.toml; mileage in miles; age in full years.
        whole: The message is nothing but an answer or a command inside the quote.
        command: What the customer wants done with the open question.
        correction: The values replace what was said before.
    """

    values: Mapping[str, str | int]
    whole: bool
    command: Command | None = None
    correction: bool = False


@dataclass(frozen=True, slots=True)
class _Message:
    """A message made plain, with what the quote knows. `bold`: read as if it were nothing but an answer."""

    text: str
    awaiting: str | None
    known: Mapping[str, str | int]
    today: date
    mentions: Sequence[Mention]
    correction: bool
    bold: bool = True


@dataclass(frozen=True, slots=True)
class _Token:
    """A word, a sign, a blanked span, or a number with its unit ("km", "miles", "years", "thousand" or "")."""

    kind: str
    text: str
    value: int = 0
    unit: str = ""
    is_year: bool = False
    is_short_year: bool = False
    is_rate: bool = False


@dataclass(frozen=True, slots=True)
class _Note:
    """A value said for a slot, or denied ("not 2019")."""

    slot: str
    value: str | int
    denied: bool = False


def read_slots(
    text: str, vehicles: Vehicles, awaiting: str | None, known: Mapping[str, str | int], today: date
) -> Reading:
    """What a customer's message says about their quote. Never raises; takes well under a millisecond for an answer.

    Args:
        text: The message; its first 600 characters are read.
        vehicles: Names of makes and models.
        awaiting: Slot that was asked for last, or None outside a quote.
        known: Slots known so far.
        today: The customer's date; it tells which century '19 belongs to.
    """
    plain = _plain(text, awaiting, today)
    named = _blank(_blank(plain, _ASIDES, ","), _NAMES, _FOREIGN)
    make = known.get("make")
    mentions = vehicles.mentions(named, make if isinstance(make, str) else None)
    message = _Message(named, awaiting, known, today, mentions, _CORRECTION.search(plain) is not None)
    reading = _read(message)
    if not reading.whole:
        reading = _read(replace(message, bold=False))
    command = _command(plain)
    if command is not None and (command == "start_over" or not reading.values):
        return replace(reading, command=command, whole=awaiting is not None)
    return replace(reading, whole=reading.whole and len(text) <= _READ_CHARACTERS)


def _plain(text: str, awaiting: str | None, today: date) -> str:
    """Folded text with straight apostrophes, and digits for numbers in words."""
    folded = fold(text[:_READ_CHARACTERS])[:_READ_CHARACTERS].translate(_PLAIN_SIGNS)
    if awaiting == "mileage":
        folded = _ZERO.sub("0", folded)
    if awaiting == "year":
        folded = _LAST_YEAR.sub(str(today.year - 1), _THIS_YEAR.sub(str(today.year), folded))
    return _HALF.sub(r"\1.5k", _in_digits(_THANKS.sub("gracias", folded)))


def _read(message: _Message) -> Reading:
    text, notes = _read_vehicle(message)
    tokens = _tokens(_blank(text, _TRAPS, _FOREIGN))
    slots = {at: _slot(tokens, at, message) for at, token in enumerate(tokens) if token.kind == "number"}
    bare = [at for at, slot in slots.items() if slot == "bare"]
    taken = {note.slot for note in notes} | set(slots.values())
    for at in bare:
        slots[at] = _slot_of_bare(tokens, at, message, taken - {None, "bare"}, alone=len(bare) == 1)
        taken.add(slots[at])
    for at, slot in slots.items():
        if slot is not None:
            notes.append(_Note(slot, _full_year(tokens[at], slot, message.today), _is_denied(tokens[:at])))
    if not message.bold and _speaks_of_two_ages(tokens):
        notes = [note for note in notes if note.slot != "driver_age"]
    correction = message.correction or any(note.denied for note in notes)
    values, is_clear = _settle(notes, correction=correction)
    trims = {at for at, pair in enumerate(pairwise(tokens), start=1) if _is_trim(*pair)}
    is_answer = all(at in trims or _adds_nothing(token) for at, token in enumerate(tokens))
    whole = bool(values) and is_clear and None not in slots.values() and is_answer
    return Reading(values, whole, None, correction and bool(values))


def _settle(notes: Sequence[_Note], *, correction: bool) -> tuple[dict[str, str | int], bool]:
    """One value a slot, and whether the message was clear about it. In a correction the last word counts."""
    values: dict[str, str | int] = {}
    is_clear = True
    for slot in dict.fromkeys(note.slot for note in notes):
        said = [note.value for note in notes if note.slot == slot and not note.denied]
        if said and (correction or len(set(said)) == 1):
            values[slot] = said[-1]
        else:
            is_clear = False
    if {note.slot for note in notes} >= {"make", "model"} and "make" not in values:
        values.pop("model", None)  # a model of which of the makes?
    return values, is_clear


# Vehicles


def _read_vehicle(message: _Message) -> tuple[str, list[_Note]]:
    """The text with its vehicles blanked, and what they say."""
    text = message.text
    meant = [mention for mention in message.mentions if _is_meant(mention, message)]
    notes: list[_Note] = []
    for mention in meant:
        denied = _is_denied(_tokens(text[max(0, mention.start - 2 * _NEAR) : mention.start]))
        if mention.is_full or mention.make != message.known.get("make"):
            notes.append(_Note("make", mention.make, denied))
        is_link = mention.model is not None and fold(mention.model) in _LINKS and message.awaiting != "model"
        if mention.model is not None and not is_link:
            notes.append(_Note("model", mention.model, denied))
        text = text[: mention.start] + _VALUE * (mention.end - mention.start) + text[mention.end :]
    said = [note.value for note in notes if note.slot == "make" and not note.denied]
    other = {mention.model for mention in meant if message.correction and said and mention.make != said[-1]}
    return text, [note for note in notes if note.slot == "make" or note.value not in other]


def _is_meant(mention: Mention, message: _Message) -> bool:
    """Whether a name stands for a vehicle here. An everyday or misspelt word needs something to support it."""
    text, awaiting, is_model = message.text, message.awaiting, mention.model is not None
    name = text[mention.start : mention.end]
    before = text[max(0, mention.start - _NEAR) : mention.start]
    asked = awaiting == "model" and is_model and mention.make == message.known.get("make")
    words = {word for word in name.split() if word.isalpha()}
    if words and words <= _LINKS:
        return asked and message.bold
    paired = any(other.make == mention.make and other is not mention for other in message.mentions)
    if not (mention.everyday or mention.misspelt):
        return mention.is_full or asked or message.bold or paired or _PLACE.search(before) is None
    if name.isdigit():
        return asked
    if mention.everyday and mention.misspelt:
        return paired
    dated = _YEAR_BEFORE.search(before) or (
        _YEAR_BEHIND.match(text, mention.end) and not _MONTH.fullmatch(name)
    )
    answers = message.bold and (awaiting in {"make", "model"} or (awaiting is None and not mention.misspelt))
    return bool(dated) or paired or answers or (asked and not mention.misspelt)


# Numbers


def _in_digits(text: str) -> str:
    """Text with numbers in words ("forty two thousand", "doce mil", "twenty nineteen") as digits."""
    parts: list[str] = []
    run: list[re.Match[str]] = []
    end = 0
    for word in _SPOKEN.finditer(text):
        joined = bool(run) and _SPOKEN_GAP.fullmatch(text, run[-1].end(), word.start()) is not None
        if word.group() in _CONNECTORS and joined:
            run.append(word)
        elif word.group() in _NUMBERS or word.group().isdigit():
            if run and not joined:
                end = _close(text, run, parts, end)
            run.append(word)
        elif run:
            end = _close(text, run, parts, end)
    if run:
        end = _close(text, run, parts, end)
    return "".join((*parts, text[end:]))


def _close(text: str, run: list[re.Match[str]], parts: list[str], end: int) -> int:
    """Write a finished run of number words as digits, and empty it; returns where the text goes on."""
    while run[-1].group() in _CONNECTORS:
        run.pop()
    while len(run) > 1 and run[0].group() in _LIKE_ARTICLES and _NUMBERS.get(run[1].group(), 0) < _HUNDRED:
        run.pop(0)
    words = [word.group() for word in run]
    if not (len(words) == 1 and (words[0] in _NEED_COMPANY or words[0].isdigit())):
        parts += [text[end : run[0].start()], " ".join(map(str, _evaluated(words)))]
        end = run[-1].end()
    run.clear()
    return end


def _evaluated(words: Sequence[str]) -> list[int]:
    """Numbers that a run of number words says: mostly one, two for "thirty four forty thousand"."""
    numbers: list[int] = []
    total, current, room = 0, 0, 0  # room: the part of `current` still open, as in twenty(-one)
    for word in words:
        value = int(word) if word.isdigit() else _NUMBERS.get(word, 0)
        if word in _CONNECTORS:
            continue
        if value == _THOUSAND and total == 0:
            total, current, room = max(current, 1) * _THOUSAND, 0, _THOUSAND
        elif value == _HUNDRED and word == "hundred" and 0 < current < _HUNDRED:
            current, room = current * _HUNDRED, _HUNDRED
        elif value < room:
            current, room = current + value, _room(value)
        elif total == 0 and current in _CENTURIES and _TEN <= value < _HUNDRED:
            current, room = current * _HUNDRED + value, _room(value)
        else:
            numbers += [total + current] if total + current else []
            total, current, room = 0, value, _room(value)
    return [*numbers, total + current]


def _room(value: int) -> int:
    """What may still be added to a number word: below 100 to "two hundred", below 10 to "forty"."""
    if value >= _HUNDRED:
        return _HUNDRED
    return _TEN if value >= 2 * _TEN and value % _TEN == 0 else 0


def _tokens(text: str) -> list[_Token]:
    """Words, signs, blanked spans and numbers of a text."""
    return [_token(text, found) for found in _TOKEN.finditer(text)]


def _token(text: str, found: re.Match[str]) -> _Token:
    kind = str(found.lastgroup) if found["figure"] is None else "number"
    if kind != "number":
        return _Token(kind, found.group())
    figure, mark = found["figure"], found["mark"]
    amount = Decimal(figure.replace(mark, "") if mark else figure.replace(",", "."))
    unit = next(
        (unit for unit in ("km", "miles", "years") if found[unit]), "thousand" if found["scale"] else ""
    )
    amount *= _THOUSAND if found["scale"] else 1
    is_attached = text[found.end() : found.end() + 1].isalnum() or text[: found.start()][-1:] in {"#", "_"}
    if is_attached or amount != int(amount) or amount > _MOST:
        return _Token("foreign", found.group())
    value = round(int(amount) * _MILES_PER_KM) if unit == "km" else int(amount)
    return _Token(
        kind,
        found.group(),
        value,
        unit,
        is_year=figure.isdigit()
        and len(figure) == _YEAR_DIGITS
        and value in _YEARS
        and unit in {"", "years"},
        is_short_year=len(figure) == _SHORT_YEAR_DIGITS and bool(found["short"]) and not unit,
        is_rate=_RATE.match(text, found.end()) is not None,
    )


def _slot(tokens: Sequence[_Token], at: int, message: _Message) -> str | None:
    """Slot of a number by its unit or label; "bare" if it has neither; None if it counts something else."""
    token, before, behind = tokens[at], _words_before(tokens, at), _words_behind(tokens, at)
    label = _label(token, before, message)
    if token.is_rate or _counts(token, label, behind):
        return None
    is_asked_about = not message.bold and _is_asked_about(tokens, at, before + behind)
    if token.unit in {"km", "miles"}:
        is_limit = is_asked_about and not _BOUNDS.isdisjoint(
            token.text for token in tokens[max(0, at - 3) : at]
        )
        return None if is_limit or not _RANGES.isdisjoint(before) else "mileage"
    if token.unit == "years" and not token.is_year:
        return _slot_of_years(tokens, at, label, message)
    if label is None and token.value in _LIKELY_MILEAGES and _is_on_odometer(behind):
        return "mileage"
    if label is None and token.unit == "thousand":
        has_vehicle = any(other.kind == "value" for other in tokens) and not is_asked_about
        return "mileage" if message.bold or has_vehicle or message.awaiting == "mileage" else None
    return label or (None if is_asked_about else "bare")


def _slot_of_years(tokens: Sequence[_Token], at: int, label: str | None, message: _Message) -> str | None:
    """A number of years is the driver's age, if it is not the age of a car or a stretch of time."""
    token, before, behind = tokens[at], _words_before(tokens, at), _words_behind(tokens, at)
    if not _TIME_WORDS.isdisjoint(before[:1]) or not _AFTER_YEARS.isdisjoint(behind[:2]):
        return None
    if label == "driver_age":
        return label
    of_vehicle = before[-1:] == [_VALUE] or not (_VEHICLES_AND_IT).isdisjoint(before)
    of_another = not message.bold and not set(before) <= _FILLERS and message.awaiting != "driver_age"
    if of_vehicle or of_another or token.value not in _AGES:
        return None
    asked = message.awaiting == "driver_age"
    is_age = asked or (token.value in _LIKELY_AGES and (message.bold or not _OLD.isdisjoint(behind[:2])))
    return "driver_age" if is_age else None


def _slot_of_bare(
    tokens: Sequence[_Token], at: int, message: _Message, taken: Iterable[str | None], *, alone: bool
) -> str | None:
    """Slot of a number without unit and label: the one asked for, or the only one that it can be."""
    token, before, awaiting = tokens[at], _words_before(tokens, at), message.awaiting
    if token.is_year and _is_model_year(before, message, alone=alone and not set(taken)):
        return "year"
    if message.correction and not token.is_year:
        changed = [
            slot for slot in ("driver_age", "mileage") if slot in message.known and _is_likely(token, slot)
        ]
        if len(changed) == 1:
            return changed[0]
    if (
        awaiting is not None
        and (awaiting not in taken or message.correction)
        and _fits(token, awaiting, message)
    ):
        return awaiting
    if token.is_short_year:
        return "year"
    if message.bold and (taken or not alone) and not token.is_year:
        likely = [slot for slot in ("driver_age", "mileage") if slot not in taken and _is_likely(token, slot)]
        return likely[0] if len(likely) == 1 else None
    return None


def _is_model_year(before: list[str], message: _Message, *, alone: bool) -> bool:
    """Whether 2019 is the year of the vehicle; it could be an odometer's figure or the year of an event."""
    if not _SINCE.isdisjoint(before[:1]):
        return False
    if message.awaiting == "mileage" and alone and message.bold and not message.correction:
        return not _ARTICLES.isdisjoint(before[:1])
    is_event = "year" in message.known and not message.correction and before[-1:] != [_VALUE]
    return message.bold or message.awaiting == "year" or not is_event


def _fits(token: _Token, slot: str, message: _Message) -> bool:
    """Whether a bare number can answer this question; more is believed when the message is nothing but the answer."""
    if slot == "mileage":
        return (message.bold or not token.is_year) and token.value in (
            _MILEAGES if message.bold else _LIKELY_MILEAGES
        )
    if slot == "driver_age":
        return token.value in (_AGES if message.bold else _LIKELY_AGES)
    is_two_digits = token.text.isdigit() and len(token.text) == _SHORT_YEAR_DIGITS
    oldest = message.today.year - _OLDEST_SHORT_YEAR
    return (
        slot == "year"
        and is_two_digits
        and message.bold
        and _full_year(token, "year", message.today) >= oldest
    )


def _is_likely(token: _Token, slot: str) -> bool:
    return token.value in (_LIKELY_AGES if slot == "driver_age" else _LIKELY_MILEAGES)


def _full_year(token: _Token, slot: str, today: date) -> int:
    """The number, or the year that two digits mean: at most next year, else of the century before."""
    if slot != "year" or token.value >= _HUNDRED:
        return token.value
    century = today.year // _HUNDRED * _HUNDRED
    return token.value + (century if century + token.value <= today.year + 1 else century - _HUNDRED)


# What stands around a number


def _label(token: _Token, before: list[str], message: _Message) -> str | None:
    """Slot that the words before a number name: "año 2019", "mileage is about 40000", "I'm 34"."""
    is_age = token.value in _AGES and (message.awaiting == "driver_age" or _OTHERS.isdisjoint(before))
    can_be = {
        "year": token.is_year or (token.value < _HUNDRED and not token.unit),
        "mileage": token.value >= _HUNDRED and not token.is_year and token.unit != "years",
        "driver_age": is_age,
    }
    for word, next_word in zip_longest(before, before[1:]):
        if slot := next((slot for slot, labels in _LABELS.items() if word in labels and can_be[slot]), None):
            return slot
        if word in _FIRST_PERSON or (word in _PAST and next_word == "i"):
            is_said = (
                is_age
                and token.value in _LIKELY_AGES
                and (token.unit == "years" or message.awaiting not in {"year", "mileage"})
            )
            return "driver_age" if is_said else None
        if word not in _FILLERS:
            return None
    return None


def _counts(token: _Token, label: str | None, behind: list[str]) -> bool:
    """Whether a number counts things ("2 kids", "3 cars"): it has no unit and a noun follows."""
    if token.unit or token.is_year or not behind:
        return False
    is_noun = behind[0] not in _FILLERS and (behind[0].endswith("s") or token.value < _LIKELY_AGES.start)
    return is_noun or (behind[0] in _VEHICLE_WORDS and label is None and token.value < _HUNDRED)


def _is_on_odometer(behind: list[str]) -> bool:
    """Whether "on the clock", "de recorrido" or the like follows."""
    return behind[:1] != [] and behind[0] in _ON and not _ODOMETERS.isdisjoint(behind[:4])


def _words_before(tokens: Sequence[_Token], at: int) -> list[str]:
    """Words before a number, nearest first, without hedges, up to a comma or the first that adds something."""
    words: list[str] = []
    for token in reversed(tokens[max(0, at - _AROUND) : at]):
        if token.kind == "sign" and token.text in ":=-~(":
            continue
        if token.kind == "value":
            words.append(_VALUE)
        if token.kind != "word":
            break
        if token.text not in _MERE_HEDGES:
            words.append(token.text)
        if token.text not in _FILLERS:
            break
    return words


def _words_behind(tokens: Sequence[_Token], at: int) -> list[str]:
    """Words right behind a number."""
    return [
        token.text for token in takewhile(lambda token: token.kind == "word", tokens[at + 1 : at + _AROUND])
    ]


def _is_asked_about(tokens: Sequence[_Token], at: int, around: list[str]) -> bool:
    """Whether a number belongs to a question ("cars from 2014?") and not to an answer before it ("19, is that ok?")."""
    ends = (token.text for token in tokens[at:] if token.kind == "sign" and token.text in ".;!?")
    if next(ends, "") != "?" or _VALUE in around or not _VEHICLE_WORDS.isdisjoint(around):
        return False
    is_answer = tokens[at + 1].text in _AFTER_ANSWER and all(map(_adds_nothing, tokens[:at]))
    return not is_answer and all(token.kind != "value" for token in tokens)


def _is_denied(tokens: Sequence[_Token]) -> bool:
    """Whether what follows these tokens is what the customer does not mean: "not 2019", "no es el Leaf"."""
    skipped: set[str] = set()
    for token in reversed(tokens[-_AROUND:]):
        if token.kind != "word":
            return False
        if token.text in _DENIALS:
            return _DENIALS[token.text] <= skipped
        if token.text not in _SMALL_WORDS:
            return token.text in _SOFT_NEGATIONS and not skipped.isdisjoint(_COPULAS)
        skipped.add(token.text)
    return False


def _adds_nothing(token: _Token) -> bool:
    """Whether a token leaves the message a mere answer; "yeeeah" counts as "yeah"."""
    if token.kind == "word":
        word = _DRAWL.sub(r"\1", token.text)
        return word in _FILLERS or _FILLERS.issuperset(word.split("'"))
    return token.kind in {"value", "number"} or (token.kind == "sign" and token.text not in "?¿")


def _is_trim(before: _Token, token: _Token) -> bool:
    """Whether a word is the trim of the vehicle before it: "Leaf SV"."""
    return before.kind == "value" and token.kind == "word" and len(token.text) <= _TRIM_LETTERS


def _speaks_of_two_ages(tokens: Sequence[_Token]) -> bool:
    """Whether it is open whose age is whose: "55, pero maneja mi hijo de 22"."""
    ages = [token for token in tokens if token.value in _LIKELY_AGES and token.unit in {"", "years"}]
    return len(ages) > 1 and any(token.text in _OTHERS for token in tokens)


def _blank(text: str, patterns: Iterable[re.Pattern[str]], sign: str) -> str:
    """The text with what the patterns find written over; positions stay."""
    for pattern in patterns:
        text = pattern.sub(lambda found: sign * len(found.group()), text)
    return text


def _command(text: str) -> Command | None:
    """Command that the message consists of."""
    words = _WORD.findall(text)
    for frame in _COMMAND_FRAMES:
        if (command := _COMMANDS.get(" ".join(word for word in words if word not in frame))) is not None:
            return command
    return "help" if _WHERE.fullmatch(text) else None

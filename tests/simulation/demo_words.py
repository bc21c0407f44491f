"""The key words and the sentences of the demo brain, in English and Spanish."""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

# The first intent with a key word in the message wins, so the order is the order of importance.
INTENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "escalate": (
            *(
                " human",
                " person ",
                "agent",
                "complain",
                "lawyer",
                "accident",
                "stolen",
                "fraud",
                "supervisor",
            ),
            *("persona", "humano", "queja", "abogado", "accidente", "robado", "fraude", "agente"),
        ),
        "quote": (
            *("quote", "how much", "price for", "insure my", "insure a", "premium"),
            *("cotiza", "cuanto", "precio", "asegurar mi", "asegurar un", "presupuesto"),
        ),
        "product_info": (
            *(
                "cover",
                "polic",
                "claim",
                "deductible",
                "roadside",
                "battery",
                "charger",
                "discount",
                "cancel",
                "pay",
            ),
            *(
                "cubre",
                "cobertura",
                "poliza",
                "siniestro",
                "franquicia",
                "bateria",
                "cargador",
                "descuento",
                "pago",
            ),
        ),
        "greeting": (
            *(" hello", " hi ", " hey ", "good morning", "thank", " bye", "who are you", "your hours"),
            *(" hola", "buenos dias", "buenas", "gracias", "adios", "quien eres", "horario"),
        ),
    }
)

PHRASES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "greeting": {
            "en": "Hello! I am Eva, the AI assistant of Acme Insurance. Ask me about our insurance, or for a quote.",
            "es": "¡Hola! Soy Eva, la asistente de IA de Acme Insurance. Pregúnteme por los seguros o pida un precio.",
        },
        "off_topic": {
            "en": "I can help with car insurance at Acme. Would you like to know about a cover, or a price?",
            "es": "Puedo ayudarle con los seguros de coche de Acme. ¿Quiere saber de una cobertura, o un precio?",
        },
        "escalate": {
            "en": "I am sorry to hear that. Please call 1-800-123-4567, Monday to Friday, 9 AM to 5 PM EST.",
            "es": "Lo siento. Llame por favor al 1-800-123-4567, de lunes a viernes, de 9 a 17 h (EST).",
        },
        "quote": {
            "en": "I can price a car, an electric car or a two-wheeler. Which vehicle is it?",
            "es": "Puedo dar precio a un coche, un eléctrico o una moto. ¿Qué vehículo es?",
        },
        "product_info": {
            "en": "I have no article at hand about that. Shall I pass you on to a person?",
            "es": "No tengo un artículo sobre eso. ¿Le paso con una persona?",
        },
        "missing": {"en": "Gladly. I still need: {}.", "es": "Con gusto. Aún necesito: {}."},
        "quoted": {"en": "Here is your price. {}", "es": "Este es su precio. {}"},
        "handed_over": {"en": "A person will take over. {}", "es": "Le atenderá una persona. {}"},
        "found": {"en": "This is what our help articles say: ", "es": "Esto dicen nuestros artículos: "},
        "nothing_found": {
            "en": "I found nothing about that. Shall I pass the question to a person?",
            "es": "No encontré nada sobre eso. ¿Paso la pregunta a una persona?",
        },
    }
)

_SPANISH = re.compile(r"[¿¡ñ]|\b(hola|gracias|cuanto|quiero|mi|seguro|coche|una?|por|es|con|tengo|anos)\b")


def folded(text: str) -> str:
    """The text in small letters, without accents, punctuation as spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[^\w]+", " ", letters).strip()


def is_spanish(text: str) -> bool:
    """Whether the text looks Spanish rather than English."""
    return _SPANISH.search(f"{text.casefold()} {folded(text)}") is not None

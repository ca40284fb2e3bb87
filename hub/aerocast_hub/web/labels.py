"""The fixed words of passengers' pages, in every language the advice speaks."""

import msgspec


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """Headings, captions and buttons of one language, named by itself in ``language``."""

    language: str
    skip: str
    title: str
    flight: str
    belt: str
    belt_unknown: str
    gate: str
    first_bags: str
    between: str
    last_bags: str
    what_to_do: str
    way: str
    gets_about: str
    profiles: dict[str, str]
    why: str
    your_bags: str
    updated: str
    offline: str
    find_title: str
    find_intro: str
    plate: str
    plate_hint: str
    surname: str
    find: str
    not_found: str
    wait: str
    expired_title: str
    expired: str
    states: dict[str, str]


LABELS = {
    "en": Labels(
        language="English",
        skip="Skip to content",
        title="Your bags",
        flight="Flight",
        belt="Reclaim belt",
        belt_unknown="belt not known yet",
        gate="Gate",
        first_bags="First bags",
        between="most likely",
        last_bags="All bags by",
        what_to_do="What to do",
        way="The way there",
        gets_about="How you get about",
        profiles={
            "default": "On foot",
            "family": "With children",
            "reduced_mobility": "No stairs",
            "wheelchair": "Wheelchair",
            "trolley": "With a trolley",
        },
        why="Why we say so",
        your_bags="Your bags",
        updated="Updated",
        offline="No connection: this may be old.",
        find_title="Find your bag",
        find_intro="Type the number on your bag tag receipt and your surname.",
        plate="Bag tag number",
        plate_hint="Ten digits, for example 0220 123456",
        surname="Surname",
        find="Find my bag",
        not_found="We found no bag with this number and surname. Check both, or ask at the baggage "
        "desk.",
        wait="Too many tries. Please wait a few minutes.",
        expired_title="This link no longer opens",
        expired="Links are good for a few days. You can find your bag by its tag and your surname.",
        states={
            "expected": "expected",
            "seen": "seen",
            "accepted": "accepted",
            "screened": "screened",
            "sorted": "sorted",
            "made_up": "ready to load",
            "loaded": "loaded",
            "transfer": "in transfer",
            "arrived": "at the belt",
            "delivered": "at reclaim",
            "departed": "on its way",
            "on_block": "on the aircraft, arrived",
            "claimed": "handed over",
            "offloaded": "taken off the flight",
        },
    ),
    "fr": Labels(
        language="Français",
        skip="Aller au contenu",
        title="Vos bagages",
        flight="Vol",
        belt="Tapis de livraison",
        belt_unknown="tapis pas encore connu",
        gate="Porte",
        first_bags="Premiers bagages",
        between="le plus probable",
        last_bags="Tous les bagages d’ici",  # noqa: RUF001  French typography
        what_to_do="Que faire",
        way="Le chemin",
        gets_about="Comment vous vous déplacez",
        profiles={
            "default": "À pied",
            "family": "Avec des enfants",
            "reduced_mobility": "Sans escalier",
            "wheelchair": "Fauteuil roulant",
            "trolley": "Avec un chariot",
        },
        why="Pourquoi",
        your_bags="Vos bagages",
        updated="Mis à jour à",
        offline="Pas de connexion : ces informations peuvent être anciennes.",
        find_title="Retrouver votre bagage",
        find_intro="Saisissez le numéro de votre reçu d’étiquette et votre nom.",  # noqa: RUF001  French typography
        plate="Numéro d’étiquette bagage",  # noqa: RUF001  French typography
        plate_hint="Dix chiffres, par exemple 0220 123456",
        surname="Nom de famille",
        find="Retrouver mon bagage",
        not_found="Aucun bagage trouvé avec ce numéro et ce nom. Vérifiez les deux, ou adressez-"
        "vous au comptoir bagages.",
        wait="Trop d’essais. Merci de patienter quelques minutes.",  # noqa: RUF001  French typography
        expired_title="Ce lien ne s’ouvre plus",  # noqa: RUF001  French typography
        expired="Les liens sont valables quelques jours. Vous pouvez retrouver votre bagage avec "
        "son étiquette et votre nom.",
        states={
            "expected": "attendu",
            "seen": "vu",
            "accepted": "accepté",
            "screened": "contrôlé",
            "sorted": "trié",
            "made_up": "prêt à charger",
            "loaded": "chargé",
            "transfer": "en transfert",
            "arrived": "sur le tapis",
            "delivered": "livré",
            "departed": "en route",
            "on_block": "dans l’avion, arrivé",  # noqa: RUF001  French typography
            "claimed": "remis",
            "offloaded": "débarqué",
        },
    ),
}

"""The words of the Core Business Vocabulary 2.0, and what they are short for.

In EPCIS documents in JSON the words stand bare (``shipping``); each field has its own.
"""

from collections.abc import Mapping

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
"""What an EPCIS document names as its context; its contents are in this module."""

PREFIXES: Mapping[str, str] = {
    "epcis": "https://ref.gs1.org/epcis/",
    "cbv": "https://ref.gs1.org/cbv/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "gs1": "https://gs1.org/voc/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
}
"""Prefixes every document may use without declaring them."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ACTIONS = ("OBSERVE", "ADD", "DELETE")

BIZ_STEPS = _words("""
    accepting arriving assembling collecting commissioning consigning creating_class_instance
    cycle_counting decommissioning departing destroying disassembling dispensing encoding
    entering_exiting holding inspecting installing killing loading other packing picking receiving
    removing repackaging repairing replacing reserving retail_selling sampling sensor_reporting
    shipping staging_outbound stock_taking stocking storing transporting unloading unpacking
    void_shipping
    """)
DISPOSITIONS = _words("""
    active available completeness_inferred completeness_verified conformant container_closed
    container_open damaged destroyed dispensed disposed encoded expired in_progress in_transit
    inactive mismatch_class mismatch_instance mismatch_quantity needs_replacement no_pedigree_match
    non_conformant non_sellable_other partially_dispensed recalled reserved retail_sold returned
    sellable_accessible sellable_not_accessible stolen unavailable unknown
    """)
BIZ_TRANSACTION_TYPES = _words("""
    bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt
    """)
SOURCE_DESTINATION_TYPES = frozenset({"owning_party", "possessing_party", "location"})
ERROR_REASONS = frozenset({"did_not_occur", "incorrect_data"})
COMPONENTS = _words("""
    x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting
    northing latitude longitude altitude
    """)
# EffectiveDoseRate is in the GS1 Web Vocabulary since, and published examples use it.
MEASUREMENT_TYPES = _words("""
    AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude AmountOfSubstance
    AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area
    Capacitance Conductance Conductivity Count Density Dimensionless DoseEquivalent
    DoseEquivalentRate DynamicViscosity EffectiveDoseRate ElectricCharge ElectricCurrent
    ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency Illuminance
    Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux
    LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass
    MassConcentration MassFlowRate MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy
    MolarMass MolarVolume Power Pressure RadiantFlux RadiantIntensity Radioactivity
    RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed SurfaceDensity
    SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction
    VolumetricFlux Wavenumber
    """)
ALERT_TYPES = frozenset({"ALARM_CONDITION", "ERROR_CONDITION"})

EXPANDED: Mapping[str, Mapping[str, str]] = {
    field: {word: start + word for word in words}
    for field, start, words in (
        ("bizStep", "https://ref.gs1.org/cbv/BizStep-", BIZ_STEPS),
        ("disposition", "https://ref.gs1.org/cbv/Disp-", DISPOSITIONS),
        ("set", "https://ref.gs1.org/cbv/Disp-", DISPOSITIONS),
        ("unset", "https://ref.gs1.org/cbv/Disp-", DISPOSITIONS),
        ("bizTransactionList", "https://ref.gs1.org/cbv/BTT-", BIZ_TRANSACTION_TYPES),
        ("sourceList", "https://ref.gs1.org/cbv/SDT-", SOURCE_DESTINATION_TYPES),
        ("destinationList", "https://ref.gs1.org/cbv/SDT-", SOURCE_DESTINATION_TYPES),
        ("reason", "https://ref.gs1.org/cbv/ER-", ERROR_REASONS),
        ("component", "https://ref.gs1.org/cbv/Comp-", COMPONENTS),
        ("sensorReport", "https://gs1.org/voc/", MEASUREMENT_TYPES),
        ("exception", "https://gs1.org/voc/", ALERT_TYPES),
    )
}
"""Field -> bare word -> web address. ``type`` fields are under the list they stand in."""

_URNS = {
    f"urn:epcglobal:cbv:{old}:": f"https://ref.gs1.org/cbv/{new}-"
    for old, new in {
        "bizstep": "BizStep",
        "disp": "Disp",
        "btt": "BTT",
        "sdt": "SDT",
        "er": "ER",
    }.items()
}


def web_address(word: str) -> str:
    """Give the web address for a word of CBV 1.x (``urn:epcglobal:cbv:bizstep:shipping``)."""
    for old, new in _URNS.items():
        if word.startswith(old):
            return new + word.removeprefix(old)
    return word


def expanded(field: str, word: str) -> str:
    """Give the web address a bare word of a field is short for; anything else as it is."""
    return EXPANDED.get(field, {}).get(word) or web_address(word)


def bare(field: str, word: str) -> str:
    """Give the bare word of a web address or a CBV 1.x name; anything else as it is."""
    address = expanded(field, word)
    for start in ("https://ref.gs1.org/cbv/", "https://gs1.org/voc/"):
        if address.startswith(start):
            short = address.removeprefix(start).rpartition("-")[2]
            if EXPANDED.get(field, {}).get(short) == address:
                return short
    return word

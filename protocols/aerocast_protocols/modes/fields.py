"""What one Mode S frame says, under pyModeS 3's canonical names.

The names are a published vocabulary, kept as they are: so units stand here and not in the names.
Speeds are knots, altitudes feet, vertical rates feet a minute, angles degrees from true north
(``magnetic_heading``: magnetic north), temperatures degrees Celsius, pressures hPa. ICAO Doc 9871
defines the registers.
"""

import msgspec


class ModeSFields(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The fields of one frame; None where the frame does not carry them or says "unknown".

    Attributes
    ----------
    df
        Downlink format, 0 to 31.
    icao
        24-bit address, six upper-case hex digits; laid over the parity in df 0, 4, 5, 16, 20 and
        21, where any 24 bits are some address.
    crc_valid
        Whether the parity is clean (df 17 and 18); None where that cannot be said.
    """

    df: int
    icao: str
    crc_valid: bool | None = None
    icao_verified: bool | None = None
    latitude: float | None = None
    longitude: float | None = None
    typecode: int | None = None
    bds: str | None = None
    bds_candidates: tuple[str, ...] | None = None
    altitude: int | None = None
    squawk: str | None = None
    flight_status: int | None = None
    flight_status_text: str | None = None
    downlink_request: int | None = None
    utility_message: int | None = None
    capability: int | None = None
    capability_text: str | None = None
    vertical_status: str | None = None
    sensitivity_level: int | None = None
    reply_information: int | None = None
    cross_link_capability: int | None = None
    mv: str | None = None
    cpr_format: int | None = None
    cpr_lat: int | None = None
    cpr_lon: int | None = None
    surveillance_status: int | None = None
    nic_b: int | None = None
    nuc_p: int | None = None
    movement: int | None = None
    track_status: int | None = None
    callsign: str | None = None
    category: int | None = None
    wake_vortex: str | int | None = None
    subtype: int | None = None
    groundspeed: int | float | None = None
    track: float | None = None
    heading: float | None = None
    airspeed: int | None = None
    airspeed_type: str | None = None
    vertical_rate: int | None = None
    vr_source: str | None = None
    geo_minus_baro: int | None = None
    nac_v: int | None = None
    config: bool | None = None
    overlay_command_capability: bool | None = None
    acas_operational: bool | None = None
    mode_s_subnetwork_version: int | None = None
    transponder_level5: bool | None = None
    uplink_elm_throughput: int | None = None
    downlink_elm_throughput: int | None = None
    aircraft_identification_capability: bool | None = None
    squitter_capability: bool | None = None
    surveillance_identifier_code: bool | None = None
    common_usage_gicb_capability: bool | None = None
    mode_s_specific_services: bool | None = None
    acas_hybrid_surveillance: bool | None = None
    acas_rtca_version: int | None = None
    acas_resolution_advisory: bool | None = None
    dte_status: int | None = None
    supported_bds: tuple[str, ...] | None = None
    threat_type_indicator: int | None = None
    issued_ra: bool | None = None
    corrective: bool | None = None
    downward_sense: bool | None = None
    increased_rate: bool | None = None
    sense_reversal: bool | None = None
    altitude_crossing: bool | None = None
    positive: bool | None = None
    no_above: bool | None = None
    no_below: bool | None = None
    no_left: bool | None = None
    no_right: bool | None = None
    ra_terminated: bool | None = None
    multiple_threat: bool | None = None
    threat_icao: str | None = None
    threat_altitude: int | None = None
    threat_range: float | None = None
    threat_bearing: int | None = None
    selected_altitude_mcp: int | None = None
    selected_altitude_fms: int | None = None
    baro_pressure_setting: float | None = None
    vnav_mode: bool | None = None
    altitude_hold_mode: bool | None = None
    approach_mode: bool | None = None
    target_altitude_source: str | None = None
    wind_speed: int | None = None
    wind_direction: float | None = None
    static_air_temperature: float | None = None
    static_pressure: int | None = None
    humidity: float | None = None
    turbulence: int | None = None
    figure_of_merit: int | None = None
    wind_shear: int | None = None
    microburst: int | None = None
    icing: int | None = None
    radio_height: int | None = None
    roll: float | None = None
    true_track: float | None = None
    true_airspeed: int | None = None
    track_rate: float | None = None
    magnetic_heading: float | None = None
    indicated_airspeed: int | None = None
    mach: float | None = None
    baro_vertical_rate: int | None = None
    inertial_vertical_rate: int | None = None
    emergency_state: int | None = None
    selected_altitude: int | None = None
    selected_altitude_source: str | None = None
    selected_heading: float | None = None
    autopilot: bool | None = None
    lnav_mode: bool | None = None
    tcas_operational: bool | None = None
    version: int | None = None
    capability_class: int | None = None
    operational_mode: int | None = None
    nic_supplement_a: int | None = None
    nac_p: int | None = None
    sil: int | None = None
    sil_supplement: int | None = None
    nic_baro: int | None = None
    hrd: int | None = None

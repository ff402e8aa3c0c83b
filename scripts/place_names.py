"""Names of areas, countries and continents that the two lists of places spell differently.

Tables for `build_places` only. Codes are ISO 3166-1 and -2; a number is the town's in GeoNames.
"""

FILLER = frozenset(
    """
    province provincia provincie region regiao regione state estado of the de del da do di du la le el y and und
    governorate county oblast oblasts department departamento departement district prefecture canton municipality
    metropolitan republic rayon raion voivodeship autonomous community city capital federal area territory emirate
    division parish governate land wilaya kraj krai judet judetul respublika comunidad comunidade foral
    """.split()  # noqa: SIM905
)

# GeoNames first-level areas whose names ISO 3166-2 spells too differently to match: (country, GeoNames name) -> code.
BY_HAND = {
    ("CO", "Bogota D.C."): "CO-DC",
    ("DO", "Nacional"): "DO-01",
    ("DO", "Santo Domingo"): "DO-32",
    ("ES", "Galicia"): "ES-GA",
    ("ES", "Balearic Islands"): "ES-IB",
    ("ES", "Basque Country"): "ES-PV",
    ("ES", "Valencia"): "ES-VC",
    ("ES", "Catalonia"): "ES-CT",
    ("ES", "Andalusia"): "ES-AN",
    ("ES", "Navarre"): "ES-NC",
    ("ES", "Castille and León"): "ES-CL",
    ("ES", "Madrid"): "ES-MD",
    ("ES", "Murcia"): "ES-MC",
    ("ES", "La Rioja"): "ES-RI",
    ("ES", "Cantabria"): "ES-CB",
    ("ES", "Asturias"): "ES-AS",
    ("FR", "Centre"): "FR-CVL",
    ("FR", "Brittany"): "FR-BRE",
    ("FR", "Corsica"): "FR-20R",
    ("SE", "Skåne"): "SE-M",
    ("SE", "Västra Götaland"): "SE-O",
    ("IT", "Apulia"): "IT-75",
    ("IT", "Sicily"): "IT-82",
    ("IT", "Sardinia"): "IT-88",
    ("IT", "Lombardy"): "IT-25",
    ("IT", "Piedmont"): "IT-21",
    ("IT", "Tuscany"): "IT-52",
    ("IT", "The Marches"): "IT-57",
    ("IT", "Aosta Valley"): "IT-23",
    ("IT", "Trentino-Alto Adige"): "IT-32",
    ("IT", "Friuli Venezia Giulia"): "IT-36",
    ("NL", "North Brabant"): "NL-NB",
    ("NL", "South Holland"): "NL-ZH",
    ("NL", "North Holland"): "NL-NH",
    ("DE", "Bavaria"): "DE-BY",
    ("DE", "Hesse"): "DE-HE",
    ("DE", "Lower Saxony"): "DE-NI",
    ("DE", "Rheinland-Pfalz"): "DE-RP",
    ("DE", "North Rhine-Westphalia"): "DE-NW",
    ("DE", "Saxony"): "DE-SN",
    ("DE", "Saxony-Anhalt"): "DE-ST",
    ("DE", "Thuringia"): "DE-TH",
    ("BE", "Brussels Capital"): "BE-BRU",
    ("BE", "Flanders"): "BE-VLG",
    ("BE", "Wallonia"): "BE-WAL",
    ("AT", "Vienna"): "AT-9",
    ("AT", "Upper Austria"): "AT-4",
    ("AT", "Lower Austria"): "AT-3",
    ("AT", "Styria"): "AT-6",
    ("AT", "Carinthia"): "AT-2",
    ("AT", "Tyrol"): "AT-7",
    ("CZ", "Prague"): "CZ-10",
    ("CZ", "Central Bohemia"): "CZ-20",
    ("PT", "Lisbon"): "PT-11",
    ("PT", "Azores"): "PT-20",
    ("PH", "Metro Manila"): "PH-00",
    ("IN", "National Capital Territory of Delhi"): "IN-DL",
    ("IN", "NCT"): "IN-DL",
    ("MX", "Mexico City"): "MX-CMX",
    ("MX", "México"): "MX-MEX",
    ("AR", "Buenos Aires F.D."): "AR-C",
    ("VN", "Ho Chi Minh"): "VN-SG",
    ("VN", "Hanoi"): "VN-HN",
    ("TH", "Bangkok"): "TH-10",
    ("KR", "Seoul"): "KR-11",
    ("UA", "Kyiv City"): "UA-30",
    ("RU", "Moscow"): "RU-MOW",
    ("RU", "St.-Petersburg"): "RU-SPE",
    ("GR", "Attica"): "GR-I",
    ("EG", "Cairo"): "EG-C",
    ("EG", "Alexandria"): "EG-ALX",
    ("RO", "București"): "RO-B",
    ("BG", "Sofia-Capital"): "BG-22",
    ("IR", "Razavi Khorasan"): "IR-09",
    ("MX", "Veracruz"): "MX-VER",
    ("MX", "Coahuila"): "MX-COA",
    ("MX", "Michoacán"): "MX-MIC",
    ("LB", "Beyrouth"): "LB-BA",
    ("TW", "Takao"): "TW-KHH",
    ("NG", "FCT"): "NG-FC",
    ("BA", "Federation of B&H"): "BA-BIH",
    ("TZ", "Pwani"): "TZ-19",
    ("QA", "Baladīyat ad Dawḩah"): "QA-DA",
    ("NZ", "Wellington Region"): "NZ-WGN",
    ("KZ", "Karaganda"): "KZ-35",
}

# Areas that no town of both files names: (country, GeoNames code) -> code.
BY_CODE = {
    ("GE", "51"): "GE-TB",
    ("KZ", "02"): "KZ-75",
    ("UA", "19"): "UA-56",
    ("UA", "27"): "UA-18",
    ("YE", "26"): "YE-SA",
}

ACCENTED = {
    "AX": "Åland Islands",
    "BL": "Saint Barthélemy",
    "CW": "Curaçao",
    "RE": "Réunion",
    "ST": "São Tomé and Príncipe",
    "TL": "Timor-Leste",
}
"""Names of countries that GeoNames writes without accents or hyphens."""
COUNTRY_ALIASES = {
    "GB": ["UK", "U.K.", "Great Britain", "Britain"],
    "US": ["USA", "U.S.", "U.S.A.", "United States of America", "America"],
    "AE": ["UAE", "U.A.E.", "Emirates"],
    "CI": ["Ivory Coast", "Cote d'Ivoire"],
    "MM": ["Burma"],
    "NL": ["Holland", "The Netherlands"],
    "KR": ["South Korea", "Korea"],
    "KP": ["North Korea"],
    "CZ": ["Czech Republic"],
    "TR": ["Turkey", "Türkiye"],
    "RU": ["Russia"],
    "SZ": ["Swaziland"],
    "MK": ["Macedonia"],
    "CV": ["Cape Verde"],
    "TL": ["East Timor"],
    "CD": ["DR Congo", "DRC", "Democratic Republic of the Congo", "Congo-Kinshasa"],
    "CG": ["Congo", "Republic of the Congo", "Congo-Brazzaville"],
    "VA": ["Vatican"],
    "GM": ["The Gambia"],
    "BS": ["The Bahamas"],
    "PH": ["The Philippines"],
    "XK": ["Kosovo"],
    "DE": ["Deutschland"],
    "ES": ["España"],
    "RO": ["România"],
    "IE": ["Republic of Ireland", "Eire"],
    "CH": ["Schweiz", "Suisse"],
    "AT": ["Österreich"],
    "MX": ["México"],
    "BR": ["Brasil"],
}

# There, what the list calls an English name is a nickname ("The Lone Star State").
ENGLISH_SPEAKING = {"AU", "CA", "GB", "IE", "IN", "JM", "KE", "NG", "NZ", "PH", "UG", "US", "ZA", "ZW"}

EXTRA_TOWN_NAMES = {
    5128581: ["New York", "NYC"],
    3675707: ["Panama"],
    2925177: ["Freiburg", "Freiburg i. Br."],
    2925533: ["Frankfurt", "Frankfurt a. M."],
    4140963: ["Washington DC", "Washington D.C.", "DC", "Wash DC"],
}

CONTINENTS = {
    "AF": "Africa",
    "AN": "Antarctica",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}

# English names of regions that ISO 3166-2 gives in another language only.
REGION_ALIASES = {code: [name] for (_, name), code in BY_HAND.items() if name not in {"FCT", "Takao", "NCT"}}
for _code, _names in {
    "US-DC": ["Washington DC", "D.C."],
    "CA-QC": ["Québec"],
    "CA-NL": ["Newfoundland"],
    "CA-PE": ["PEI", "P.E.I."],
    "DE-NW": ["NRW"],
    "AU-ACT": ["ACT"],
    "GB-NIR": ["NI", "Ulster"],
    "GB-WLS": ["Cymru"],
    "IN-DL": ["New Delhi"],
    "PH-00": ["NCR", "National Capital Region", "Metro Manila"],
}.items():
    REGION_ALIASES.setdefault(_code, []).extend(_names)
# Abbreviations of before the two-letter codes, which newspapers and many people keep.
for _code, _name in {
    "US-AL": "Ala.", "US-AZ": "Ariz.", "US-AR": "Ark.", "US-CA": "Calif.", "US-CO": "Colo.", "US-CT": "Conn.",
    "US-DE": "Del.", "US-FL": "Fla.", "US-IL": "Ill.", "US-IN": "Ind.", "US-KS": "Kans.", "US-MA": "Mass.",
    "US-MI": "Mich.", "US-MN": "Minn.", "US-MS": "Miss.", "US-MT": "Mont.", "US-NE": "Nebr.", "US-NV": "Nev.",
    "US-OK": "Okla.", "US-OR": "Ore.", "US-PA": "Penn.", "US-TN": "Tenn.", "US-TX": "Tex.", "US-WA": "Wash.",
    "US-WV": "W.Va.", "US-WI": "Wis.", "US-WY": "Wyo.", "US-NM": "N. Mex.", "US-NC": "N. Carolina",
    "US-SC": "S. Carolina", "US-ND": "N. Dakota", "US-SD": "S. Dakota", "CA-AB": "Alta.", "CA-MB": "Man.",
    "CA-ON": "Ont.", "CA-QC": "Que.", "CA-SK": "Sask.", "CA-NL": "Nfld.",
}.items():  # fmt: skip
    REGION_ALIASES.setdefault(_code, []).append(_name)

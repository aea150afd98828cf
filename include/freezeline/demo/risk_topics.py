"""Questions to the risk summariser."""

from include.freezeline.demo.topics import Issue

COMPANIES = (
    "Aldergate Shipping",
    "Brightwater Foods",
    "Cobalt Tools",
    "Dunmore Rail",
    "Eastfield Chemicals",
    "Fairhaven Hotels",
    "Greystone Cement",
    "Highmoor Dairies",
    "Ironbridge Parts",
    "Juniper Textiles",
)

RISK_ISSUES = (
    Issue(
        "leverage at {subject}",
        (
            "Summarise the leverage risk of {subject} for the credit committee.",
            "How close is {subject} to its leverage covenant?",
        ),
        (
            "net debt stands at {a}.{b} times earnings after the last draw-down",
            "the covenant leaves headroom of about {b} per cent",
            "the seasonal peak in working capital falls before the next test date",
            "management has deferred capital spending of {a} million",
            "the lenders have agreed to one reset in the past",
        ),
    ),
    Issue(
        "liquidity at {subject}",
        (
            "Write a short liquidity note on {subject}.",
            "Does {subject} have enough cash for the next {a} quarters?",
        ),
        (
            "cash and undrawn lines cover {a} months of outflows",
            "the revolving facility runs out within {b} months",
            "receivables are collected {b} days later than a year ago",
            "dividends were suspended to protect the cash position",
            "supplier finance makes up a growing part of payables",
        ),
    ),
    Issue(
        "customer concentration at {subject}",
        (
            "Assess the customer concentration of {subject}.",
            "How dependent is {subject} on its largest buyers?",
        ),
        (
            "the {a} largest buyers account for {b} per cent of revenue",
            "the main contract is up for renewal in {a} quarters",
            "no single buyer has a right to end the contract early",
            "two buyers have asked for longer payment terms",
            "new accounts grow, but from a small base",
        ),
    ),
    Issue(
        "currency exposure of {subject}",
        (
            "What is the currency exposure of {subject}?",
            "Summarise how exchange rates affect {subject}.",
        ),
        (
            "about {b} per cent of costs are paid in a foreign currency",
            "hedges cover the next {a} quarters at a falling ratio",
            "a ten per cent move would cost {a} million before tax",
            "prices are adjusted only once a year",
            "the debt is held in the reporting currency",
        ),
    ),
    Issue(
        "litigation against {subject}",
        (
            "Give me the state of the litigation against {subject}.",
            "How material are the legal claims against {subject}?",
        ),
        (
            "the claim of {b} million is at the stage of expert reports",
            "a provision of {a} million was booked in the last quarter",
            "insurers have accepted cover with a reservation",
            "a ruling is not expected for {a} quarters",
            "a settlement would stay within the covenant headroom",
        ),
    ),
    Issue(
        "supplier dependency of {subject}",
        (
            "Which suppliers could stop production at {subject}?",
            "Summarise the supply chain risk of {subject}.",
        ),
        (
            "one plant delivers {b} per cent of the key component",
            "a second source is qualified but not under contract",
            "stocks cover {a} weeks of production",
            "freight costs rose by {b} per cent within a year",
            "the main supplier reported weak figures itself",
        ),
    ),
    Issue(
        "refinancing of {subject}",
        (
            "Describe the refinancing needs of {subject}.",
            "When does {subject} have to refinance, and how hard will it be?",
        ),
        (
            "the bond of {b} million matures in {a} quarters",
            "bank appetite is sound at a margin {a} points higher",
            "assets worth {b} million are free of charges",
            "the rating agency keeps a negative outlook",
            "an early tender could be funded from the asset sale",
        ),
    ),
    Issue(
        "internal controls at {subject}",
        (
            "Rate the internal controls of {subject} in a few sentences.",
            "What did the auditors find at {subject}?",
        ),
        (
            "the auditors list {a} findings, one of them significant",
            "access rights in the ledger system are reviewed too rarely",
            "the finance team lost {a} people within a year",
            "the board has set up a committee for the remedies",
            "last year's findings were closed within {b} weeks",
        ),
    ),
)

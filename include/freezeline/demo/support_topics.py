"""Questions to the support assistant."""

from include.freezeline.demo.topics import Issue

PRODUCTS = (
    "mobile app",
    "billing portal",
    "team calendar",
    "shared inbox",
    "reporting dashboard",
    "single sign-on",
    "file storage",
    "desktop client",
    "invoice archive",
    "notification centre",
)

SUPPORT_ISSUES = (
    Issue(
        "signing in to the {subject}",
        (
            "I can't sign in to the {subject} since this morning, what should I do?",
            "The {subject} keeps rejecting my password.",
            "Login to the {subject} loops back to the start page. Any idea?",
        ),
        (
            "clear the saved session in the browser and reload the page",
            "reset the password from the link under the login form",
            "check that the device clock is set automatically",
            "ask an administrator to confirm that the account is active",
            "try a private window to rule out an extension",
        ),
    ),
    Issue(
        "a double charge for the {subject}",
        (
            "We were charged twice for the {subject} this month.",
            "Why are there two payments for the {subject} on my statement?",
            "Please explain the second charge for the {subject}.",
        ),
        (
            "open the billing page and compare both invoice numbers",
            "look whether one of the entries is a pending authorisation",
            "send us the invoice number so that the finance team can check it",
            "wait {a} working days, because a pending entry usually drops off",
            "update the payment method if the first attempt failed",
        ),
    ),
    Issue(
        "exporting data from the {subject}",
        (
            "How do I export all our data from the {subject}?",
            "Is there a way to get a CSV out of the {subject}?",
            "I need a full export of the {subject} for our auditors.",
        ),
        (
            "open the settings and choose the export tab",
            "select the date range and the CSV format",
            "split the export into parts of at most {a} months",
            "download the file from the link that arrives by message",
            "keep the link private, because it stays valid for {b} hours",
        ),
    ),
    Issue(
        "changing the plan of the {subject}",
        (
            "Can we move the {subject} to a smaller plan?",
            "What happens to our settings if we change the plan of the {subject}?",
            "I want to upgrade the {subject} for my whole team.",
        ),
        (
            "open the plan page as the owner of the workspace",
            "compare the seat limits before confirming the change",
            "remove unused seats so that the new limit is kept",
            "confirm the new price, which applies from the next invoice",
            "note that settings are kept for {a} days after a downgrade",
        ),
    ),
    Issue(
        "slow loading of the {subject}",
        (
            "The {subject} takes ages to load today.",
            "Why is the {subject} so slow for our office?",
            "Everything in the {subject} hangs for about {a} seconds.",
        ),
        (
            "check the status page for a current incident",
            "reduce the number of widgets on the first page",
            "test another network to rule out the office proxy",
            "switch off the preview of large attachments",
            "send a timing report from the help menu",
        ),
    ),
    Issue(
        "missing entries in the {subject}",
        (
            "Several entries have disappeared from the {subject}.",
            "My colleague sees items in the {subject} that I cannot see.",
            "Where did last week's entries in the {subject} go?",
        ),
        (
            "remove every filter above the list",
            "look into the archive, where entries stay for {a} days",
            "compare the role of both accounts on the members page",
            "restore the entries from the recycle bin",
            "refresh the index under advanced settings",
        ),
    ),
    Issue(
        "adding people to the {subject}",
        (
            "How can I invite a new colleague to the {subject}?",
            "The invitation to the {subject} never arrives.",
            "I need to add {a} people to the {subject} at once.",
        ),
        (
            "open the members page and choose invite",
            "upload a list when there are more than {b} people",
            "pick the role before the invitation is sent",
            "ask the colleague to look into the spam folder",
            "resend the invitation after checking the spelling",
        ),
    ),
    Issue(
        "cancelling the {subject}",
        (
            "We want to cancel the {subject} at the end of the term.",
            "How do I end our subscription to the {subject}?",
            "Please tell me the notice period for the {subject}.",
        ),
        (
            "open the plan page and choose end subscription",
            "export the data first, since it is erased after {a} days",
            "confirm the cancellation from the message we send",
            "check the notice period of {b} days in the contract",
            "download the last invoices for the accounts",
        ),
    ),
)

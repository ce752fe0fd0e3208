"""The proposed files about money and about showing work (format document, 1.12).

Invoices, time entries, service packages, client requests and portfolios: the application keeps none of them in files.
"""

from __future__ import annotations

from collections.abc import Iterator

from ops.sample_store import collaboration, people, projects, teams, vocabulary
from ops.sample_store.chance import Chance
from ops.sample_store.company import DAY, HOUR, Company, calendar_date, iso
from ops.sample_store.writer import Json, Record

_CATEGORIES = ("design-concepts", "visual-production", "performance-design", "consultation", "full-season")
_TIERS = ("foundation", "standard", "premium", "elite")
_ENSEMBLES = ("marching-band", "indoor-winds", "winter-guard", "drum-corps", "concert-band")
_INVOICE_STATUSES = ("draft", "sent", "paid", "overdue", "cancelled", "failed", "refunded")
_REQUEST_STATUSES = ("new", "contacted", "quoted", "converted", "declined")


def invoices(company: Company) -> Iterator[Record]:
    """Give the records of invoices.json; the numbers are those of their month, counted on."""
    return (_invoice(company, number) for number in range(company.count("invoices")))


def time_entries(company: Company) -> Iterator[Record]:
    """Give the records of time_entries.json."""
    return (_time_entry(company, number) for number in range(company.count("time_entries")))


def service_packages(company: Company) -> Iterator[Record]:
    """Give the records of service_packages.json."""
    return (_service_package(company, number) for number in range(company.count("service_packages")))


def client_requests(company: Company) -> Iterator[Record]:
    """Give the records of client_requests.json."""
    return (_client_request(company, number) for number in range(company.count("client_requests")))


def portfolios(company: Company) -> Iterator[Record]:
    """Give the records of portfolios.json, their items inside them."""
    return (_portfolio(company, number) for number in range(company.count("portfolios")))


def cents(amount: int) -> float:
    """Give an amount in hundredths as the number the application computes with."""
    return amount / 100


def _invoice(company: Company, number: int) -> Record:
    chance = company.chance("invoice", number)
    born = company.moment("invoices", number)
    net = chance.between(10_000, 2_000_000)
    tax = net * 19 // 100
    status = _INVOICE_STATUSES[number % len(_INVOICE_STATUSES)]
    has_project = not chance.one_in(3)
    project = projects.sketch(company, chance.below(company.count("projects")))
    record: Record = {
        "id": company.uuid("invoice", number),
        "invoiceNumber": f"FS-{calendar_date(born)[:7].replace('-', '')}-{number + 1:04d}",
        "organizationId": _payer(company, number, chance),
        "clientId": people.somebody(company, chance).id,
        "projectId": project.id if has_project else None,
        "amount": cents(net),
        "taxAmount": cents(tax),
        "totalAmount": cents(net + tax),
        "currency": "usd" if chance.one_in(4) else "USD",
        "status": status,
        "dueDate": calendar_date(born + 30 * DAY),
        "paidAt": iso(born + 9 * DAY) if status in ("paid", "refunded") else None,
    }
    if chance.one_in(2):
        record |= {
            "stripeInvoiceId": f"in_{chance.hexadecimal(14)}",
            "stripePaymentIntentId": f"pi_{chance.hexadecimal(14)}",
        }
    return record | {
        "lineItems": [{"description": vocabulary.task_title(chance), "amount": cents(net), "quantity": 1}],
        "notes": "",
        "createdAt": iso(born),
        "updatedAt": iso(born + DAY),
    }


def _payer(company: Company, number: int, chance: Chance) -> str:
    """Draw who pays: the application shows every team as an organization, so mostly a team's id."""
    if number % 4 == 3:
        return collaboration.organization_id(company, chance.below(company.count("organizations")))
    return teams.some_team_id(company, chance)


def _time_entry(company: Company, number: int) -> Record:
    chance = company.chance("time entry", number)
    born = company.moment("time_entries", number)
    project = projects.sketch(company, chance.below(company.count("projects")))
    quarters = chance.between(1, 32)
    return {
        "id": company.uuid("time entry", number),
        "userId": people.somebody(company, chance).id,
        "projectId": project.id,
        "taskDescription": vocabulary.task_title(chance),
        "hours": quarters / 4,
        "billable": not chance.one_in(4),
        "hourlyRate": chance.choose((65, 72.5, 90)),
        "date": calendar_date(born),
        "startTime": "09:00",
        "endTime": f"{9 + quarters // 4:02d}:{quarters % 4 * 15:02d}",
        "createdAt": iso(born),
        "updatedAt": iso(born),
    }


def _service_package(company: Company, number: int) -> Record:
    chance = company.chance("package", number)
    born = company.moment("service_packages", number)
    category, tier = _CATEGORIES[number % len(_CATEGORIES)], _TIERS[number % len(_TIERS)]
    return {
        "id": company.uuid("package", number),
        "name": f"{tier.title()} {category.replace('-', ' ')}",
        "slug": f"{tier}-{category}-{number + 1}",
        "description": vocabulary.sentence(chance),
        "serviceCategory": category,
        "serviceTier": tier,
        "basePrice": chance.between(5, 80) * 100 + 0.5 * chance.below(2),
        "estimatedHours": chance.between(4, 80),
        "deliverables": ["Concept", "Drill & staging", "Rehearsal visit"],
        "inclusions": ["Two revisions"],
        "exclusions": [],
        "isActive": not chance.one_in(5),
        "createdAt": iso(born),
        "updatedAt": iso(born),
    }


def _client_request(company: Company, number: int) -> Record:
    chance = company.chance("request", number)
    born = company.moment("client_requests", number)
    record: Record = {
        "id": company.uuid("request", number),
        "name": vocabulary.full_name(chance),
        "email": f"client{number}@{chance.choose(vocabulary.MAIL_DOMAINS)}",
    }
    if chance.one_in(2):
        record |= {"phone": f"+1 555 01{chance.below(100):02d}", "organizationName": f"School No. {number}"}
    return record | {
        "ensembleType": chance.choose(_ENSEMBLES),
        "serviceCategory": chance.choose(_CATEGORIES),
        "projectDescription": vocabulary.paragraph(chance, 3),
        "budgetRange": "$5,000 - $10,000",
        "timeline": "as soon as the season's theme is settled, at the latest in May",
        "status": _REQUEST_STATUSES[number % len(_REQUEST_STATUSES)],
        "assignedTo": people.somebody(company, chance).id if chance.one_in(2) else None,
        "notes": "",
        "createdAt": iso(born),
        "updatedAt": iso(born + HOUR),
        "metadata": {"newsletter": chance.one_in(2), "season": "2025"},
    }


def _portfolio(company: Company, number: int) -> Record:
    chance = company.chance("portfolio", number)
    born = company.moment("portfolios", number)
    owner = people.somebody(company, chance)
    owned: Record = (
        {"owner": {"id": owner.id, "name": owner.name, "role": "designer", "avatar": None, "bio": ""}}
        if number % 2
        else {"userId": owner.id}
    )
    return {
        "id": company.uuid("portfolio", number),
        **owned,
        "title": f"{chance.choose(vocabulary.PROJECT_NAMES)} and others",
        "description": vocabulary.sentence(chance),
        "coverImageUrl": "/uploads/cover.jpg",
        "isPublic": not chance.one_in(3),
        "createdAt": iso(born),
        "updatedAt": iso(born + DAY),
        "items": [_portfolio_item(company, chance, born, place) for place in range(chance.between(1, 4))],
    }


def _portfolio_item(company: Company, chance: Chance, born: int, place: int) -> Json:
    project = projects.sketch(company, chance.below(company.count("projects")))
    item: Record = {"id": chance.uuid()}
    if chance.one_in(2):
        item["projectId"] = project.id
    return item | {
        "title": project.name,
        "description": vocabulary.sentence(chance),
        "category": chance.choose(_CATEGORIES),
        "tags": ["show", "2025"],
        "media": [
            {"type": "video", "url": f"https://media.example.test/{place}.mp4", "duration": 93.5},
            {"type": "image", "url": f"https://media.example.test/{place}.jpg", "thumbnail_url": "/uploads/small.jpg"},
        ],
        "project_details": {"client": "Northside", "year": 2025, "ensemble_type": chance.choose(_ENSEMBLES)},
        "metrics": {"views": chance.below(5000), "likes": chance.below(300), "shares": chance.below(40)},
        "is_featured": chance.one_in(3),
        "is_public": True,
        "created_at": iso(born),
        "updated_at": iso(born + DAY),
    }

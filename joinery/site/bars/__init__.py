"""NHS booking and referral messages (BaRS): referrals from systems outside, and to them. Source: the contract's OpenAPI
document and examples, NHSDigital/booking-and-referral-fhir-api, BaRS 1.0."""

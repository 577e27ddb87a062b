"""Addresses of booking and referral messages, as the contract names them."""

from django.urls import path

from joinery.site.bars import views

urlpatterns = [
    path("$process-message", views.process_message, name="process_message"),
    path("metadata", views.metadata, name="metadata"),
    path("MessageDefinition", views.message_definition, name="message_definition"),
    path("ServiceRequest", views.service_requests, name="service_requests"),
    path("ServiceRequest/<str:request_id>", views.service_request, name="service_request"),
    path("Slot", views.not_offered, name="slots"),
    path("Appointment", views.not_offered, name="appointments"),
    path("Appointment/<str:appointment_id>", views.not_offered, name="appointment"),
    path("<path:rest>", views.absent, name="absent"),
]

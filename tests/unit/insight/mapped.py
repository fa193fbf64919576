"""A journey with everything that a map shows, and what is described around it."""

from journey.landscape import Kind, Landscape
from journey.landscape_files import read_landscape
from journey.program import Program
from journey.publication import read_definition

JOURNEY = """
language: 1
journey: cart
title: Help who hesitates
owner: growth
shared_with: [sales]
personas: [planner]
goals: [fewer-lost]
enter: {on: Product Added, when: event.properties.cart_value >= 20.0, again: after 7d, hold_out: 5%}
match: event.properties.cart == run.key
listen: {parcel: 'run.parcels'}
keep: {cart_value: event.properties.cart_value, parcels: '[]'}
exit:
  - {on: Order Completed, outcome: bought}
goal: {outcome: bought, within: 3d, value: event.properties.revenue, measure: carts that become an order}
whenever:
  - on: Complained
    do:
      - handoff:
          queue: care-desk
          brief: 'They say: {{ event.properties.words }}'
          first_answer: 1h
          escalate_to: leads
          resolve: 2d
          decisions: {calmed: {title: They are calm}, lost: {do: [{finish: lost}]}}
  - {when: run.cart_value > 1000.0, do: [{send: {message: thank-you, purpose: service}}]}
on_exit:
  - call: {url: 'https://stock.example.com/release'}
stages:
  - stage: hesitating
    feeling: unsure
    steps:
      - promise:
          as: parcel
          text: It comes on Friday
          by: run.cart_value
          kept_by: {on: Parcel Delivered, about: run.key}
      - promise: {as: patience, text: We listen, by: 2d, kept_when: run.cart_value > 1.0}
      - show: {at: [web, till], say: "Free delivery {% if run.n %}by {{ run.due | date }}{% endif %}"}
      - wait:
          any: [{on: Checkout Started, do: [{set: {run.cart_value: '1.0', customer.tier: '2'}}, {go: paying}]}]
          until: 1h
          late: [{send: {message: cart-reminder, via: [push, email], purpose: marketing, good_for: 12h}}]
      - wait: {any: [{on: Undescribed Thing}], until: 1d}
      - finish: gave-up
  - stage: paying
    title: At the till
    steps:
      - finish: helped
"""

TOUCHPOINTS = """
touchpoints:
  - touchpoint: Product Added
    interface: [web, app]
    intent: wants to see what it would cost
    feeling: hopeful
    properties: {cart: text, cart_value: number, phone: {type: text, personal: true}}
    may_use: the value, to help
  - {touchpoint: Order Completed, interface: [web], intent: wants it, feeling: relieved, properties: {revenue: number}}
  - {touchpoint: Checkout Started, interface: [web], intent: has decided, feeling: discombobulated}
  - {touchpoint: Complained, interface: [phone], intent: wants to be heard, feeling: angry, properties: {words: text}}
  - {touchpoint: Parcel Delivered, subject: parcel, interface: [door]}
"""
PERSONAS = (
    "personas: [{persona: planner, title: The planner, description: Plans., needs: [time, peace]}]"
)
GOALS = """
goals:
  - {goal: fewer-lost, title: Fewer are lost, owner: growth, measure: fewer of them, shared_with: [growth, sales]}
"""


def program(text: str = JOURNEY) -> Program:
    return read_definition(text, "journey.yaml").program


def described() -> Landscape:
    files: dict[Kind, str] = {"touchpoints": TOUCHPOINTS, "personas": PERSONAS, "goals": GOALS}
    whole = Landscape()
    for kind, text in files.items():
        whole = whole.over(read_landscape(kind, text, f"{kind}.yaml"))
    return whole

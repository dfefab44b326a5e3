"""What is offered: offers, their approval, and the document the client gets."""

"""The window: Qt widgets over the rooms' actions; no rule of the business lives here."""

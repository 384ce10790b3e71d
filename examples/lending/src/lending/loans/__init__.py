"""What is lent, to whom and until when. Names that another module of this service may use would be imported here."""

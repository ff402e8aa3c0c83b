"""What calendar programs write in place of what a private entry is about, in the languages of their users."""

# What Outlook, Google, Exchange and Apple write in place of what an entry is about.
BUSY = """

    busy|free|tentative|unavailable|out of office|working elsewhere|away|occupied|booked|not available|blocked|no title
    beschäftigt|gebucht|belegt|frei|mit vorbehalt|abwesend|außer haus|nicht verfügbar|an einem anderen ort tätig
    occupé|occupée|libre|provisoire|absent|absente|absent du bureau|indisponible|pas disponible
    ocupado|ocupada|disponible|provisional|fuera de la oficina|no disponible|trabajando en otro lugar
    livre|provisório|fora do escritório|fora do gabinete|indisponível|não disponível
    bezet|vrij|voorlopig|niet aanwezig|niet beschikbaar|werkt elders
    occupato|occupata|libero|provvisorio|fuori sede|non disponibile
    upptagen|ledig|preliminär|frånvarande|optaget|foreløbig|ikke til stede|opptatt|varattu|vapaa|zajęty|wolny|ocupat|liber
"""
PRIVATE = """
    private|private appointment|private event|private entry|private meeting|confidential|hidden
    privat|privater termin|private termin|vertraulich|privé|rendez vous privé|événement privé|confidentiel
    privado|privada|cita privada|evento privado|confidencial|compromisso privado|privéafspraak|persoonlijke afspraak
    privato|appuntamento privato|riservato|privat aftale|privat avtale|privat avtal|yksityinen|prywatne
"""

/* ctl/manifest_text.c - see manifest_text.h. */
#include "manifest_text.h"

#include <stddef.h>

const struct manifest_text manifest_texts[MANIFEST_TEXTS] = {
    [MANIFEST_NAME] = {NULL, false,
	{"Unblu Conversation", "Unblu-Konversation", "Conversation Unblu",
	    "Conversazione Unblu"}},
    [MANIFEST_DESCRIPTION] = {NULL, true,
	{"Adds an online conversation in Unblu to a calendar event.",
	    "Fügt einem Termin eine Online-Konversation in Unblu hinzu.",
	    "Ajoute à un événement une conversation en ligne dans Unblu.",
	    "Aggiunge a un evento una conversazione online in Unblu."}},
    [MANIFEST_GROUP] = {"Group.Label", false,
	{"Unblu", "Unblu", "Unblu", "Unblu"}},
    [MANIFEST_ADD] = {"Add.Label", false,
	{"Unblu Conversation", "Unblu-Konversation", "Conversation Unblu",
	    "Conversazione Unblu"}},
    [MANIFEST_ADD_TIP] = {"Add.Tip", true,
	{"Creates an Unblu conversation and adds its link to this event.",
	    "Erstellt eine Unblu-Konversation und fügt ihren Link in diesen "
	    "Termin ein.",
	    "Crée une conversation Unblu et ajoute son lien à cet événement.",
	    "Crea una conversazione Unblu e aggiunge il suo link a questo "
	    "evento."}},
    [MANIFEST_PANE] = {"Pane.Label", false,
	{"Unblu options", "Unblu-Optionen", "Options Unblu", "Opzioni Unblu"}},
    [MANIFEST_PANE_TIP] = {"Pane.Tip", true,
	{"Shows the Unblu conversation of this event: open, copy the link, "
	 "repair, remove.",
	    "Zeigt die Unblu-Konversation dieses Termins: öffnen, Link "
	    "kopieren, reparieren, entfernen.",
	    "Affiche la conversation Unblu de cet événement : ouvrir, copier "
	    "le lien, réparer, supprimer.",
	    "Mostra la conversazione Unblu di questo evento: aprire, copiare "
	    "il link, riparare, rimuovere."}},
    [MANIFEST_DEBUG] = {"Debug.Label", false,
	{"Unblu diagnostics", "Unblu-Diagnose", "Diagnostic Unblu",
	    "Diagnostica Unblu"}},
    [MANIFEST_DEBUG_TIP] = {"Debug.Tip", true,
	{"Shows versions, configuration and log of the add-in, for support.",
	    "Zeigt Versionen, Konfiguration und Protokoll des Add-ins, für "
	    "den Support.",
	    "Affiche les versions, la configuration et le journal du "
	    "complément, pour l'assistance.",
	    "Mostra versioni, configurazione e registro del componente "
	    "aggiuntivo, per l'assistenza."}},
};

const struct manifest_locale manifest_locales[MANIFEST_LOCALES] = {
    {"de-DE", MANIFEST_DE},
    {"de-AT", MANIFEST_DE},
    {"de-CH", MANIFEST_DE},
    {"fr-FR", MANIFEST_FR},
    {"fr-CH", MANIFEST_FR},
    {"it-IT", MANIFEST_IT},
    {"it-CH", MANIFEST_IT},
};

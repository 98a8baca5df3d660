// What the widget says in German. A test holds the languages to the same keys.
export default {
  title: "Feedback geben", close: "Schließen", kind: "Worum geht es?", bug: "Ein Problem", feature: "Eine Idee",
  question: "Eine Frage", praise: "Etwas Gutes", ux: "Bedienung", performance: "Tempo", docs: "Hilfeseiten",
  billing: "Abrechnung", other: "Etwas anderes", message: "Ihre Nachricht",
  hint: "Was ist passiert, oder was würde Ihnen helfen?", empty: "Schreiben Sie erst ein paar Worte.",
  rating: "Wie gefällt es Ihnen bisher?", stars: "von 5", email: "E-Mail",
  emailHint: "Freiwillig. Damit wir Ihnen sagen können, was daraus wurde.", badEmail: "Das ist keine E-Mail-Adresse.",
  shot: "Bild hinzufügen", capture: "Diesen Bildschirm aufnehmen", choose: "Bild auswählen",
  shotFailed: "Dieses Bild ließ sich nicht hinzufügen.", send: "Senden", sending: "Wird gesendet …",
  as: "Sie schreiben als", sent: "Danke, es ist angekommen.",
  sentHint: "Diesen Link haben nur Sie. Dort sehen Sie, was daraus wird.", receipt: "Verfolgen, was passiert",
  kept: "Gespeichert. Es wird gesendet.",
  keptHint: "Gerade gibt es keine Verbindung. Ihre Nachricht ist auf diesem Gerät sicher und geht von selbst hinaus.",
  again: "Noch etwas senden", full: "Es wartet schon zu viel. Versuchen Sie es wieder, wenn Sie online sind.",
  refused: "Das ließ sich nicht senden. Nichts ist verloren: Kopieren Sie Ihren Text und sagen Sie den Betreibern dieser Seite Bescheid.",
  shipped: "Sie haben danach gefragt, und es ist da",
};

// What the widget says in English. A test holds the languages to the same keys.
export default {
  title: "Send feedback", close: "Close", kind: "What is it?", bug: "A problem", feature: "An idea",
  question: "A question", praise: "Something good", ux: "Ease of use", performance: "Speed", docs: "Help pages",
  billing: "Billing", other: "Something else", message: "Your message",
  hint: "What happened, or what would help you?", empty: "Write a few words first.",
  rating: "How do you like it so far?", stars: "of 5", email: "E-mail",
  emailHint: "Optional. So that we can tell you what became of it.", badEmail: "This is not an e-mail address.",
  shot: "Add a picture", capture: "Capture this screen", choose: "Choose a picture",
  shotFailed: "This picture could not be added.", send: "Send", sending: "Sending …", as: "You write as",
  sent: "Thank you. We have it.", sentHint: "Only you have this link. On it you see what becomes of it.",
  receipt: "Follow what happens", kept: "Kept. It will be sent.",
  keptHint: "There is no connection right now. Your message is safe on this device and goes out by itself.",
  again: "Send something else", full: "Too much waits to be sent already. Try again when you are online.",
  refused: "This could not be sent. Nothing was lost: copy your words, and tell the people of this site.",
  shipped: "You asked for this, and it is here",
};

// über
const größe = "日本";
function \u0061bc() { return größe; }
\u0061bc();
const 𝒳 = { "ключ": 1, 'a\'b': 2 };
𝒳.ключ;
import x from "./päth";

// Reads a JSON array of Markdown texts, writes a JSON array of what the CDS Hooks Sandbox makes of them: HTML.
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import Markdown from "react-markdown";
import rehypeRaw from "rehype-raw";
import remarkGfm from "remark-gfm";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const texts = JSON.parse(Buffer.concat(chunks).toString("utf8"));
const options = { remarkPlugins: [remarkGfm], rehypePlugins: [rehypeRaw] };
const pages = texts.map((text) => renderToStaticMarkup(createElement(Markdown, options, text)));
process.stdout.write(JSON.stringify(pages));

import { quickStart } from '../console/quick-start.ts';
import { ButtonLink } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { SpendBar } from '../ui/money.tsx';
import { Monogram } from '../ui/monogram.tsx';
import { Frame, mount } from '../ui/mount.tsx';
import { Code } from '../ui/secret.tsx';
import { texts } from '../ui/texts.ts';

const { landing } = texts;

function Landing() {
  const actions = (
    <>
      <ButtonLink kind="plain" href="/console">
        {landing.developers}
      </ButtonLink>
      <ButtonLink href="/vault">{landing.open}</ButtonLink>
    </>
  );
  return (
    <Frame actions={actions}>
      <section class="hero">
        <div class="hero-words">
          <h1>{landing.title}</h1>
          <p class="lead">{landing.lead}</p>
          <div class="row">
            <ButtonLink kind="primary" size="large" href="/vault#create">
              {landing.create}
            </ButtonLink>
            <ButtonLink kind="plain" size="large" href="#start">
              {landing.forDevelopers}
            </ButtonLink>
          </div>
        </div>
        <Example />
      </section>
      <section class="points" aria-label={landing.pointsLabel}>
        {landing.points.map(([title, text]) => (
          <div key={title}>
            <h2>{title}</h2>
            <p>{text}</p>
          </div>
        ))}
      </section>
      <section class="promise">
        <h2>{landing.promiseTitle}</h2>
        <dl>
          {landing.promise.map(([title, text]) => (
            <div key={title}>
              <dt>{title}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section class="start" id="start">
        <h2>{landing.startTitle}</h2>
        <p class="lead">{landing.startText}</p>
        <ol class="snippets">
          {quickStart({ origin: location.origin }).map(({ step, code }) => (
            <li key={step}>
              <Code title={texts.console.steps[step]} text={code} />
            </li>
          ))}
        </ol>
        <div class="row">
          <ButtonLink kind="primary" href="/console">
            {landing.startLink}
          </ButtonLink>
        </div>
      </section>
    </Frame>
  );
}

/** What an approved app looks like to its owner. */
function Example() {
  const { example } = landing;
  return (
    <figure class="example">
      <div class="card connection">
        <div class="head">
          <Monogram name={example.app} />
          <div class="what">
            <strong>{example.app}</strong>
            <span class="source">
              <Icon name="shield" size={14} />
              {example.origin}
            </span>
          </div>
        </div>
        <SpendBar spent="6.4213" held="0.85" limitCents={2000} />
        <p class="muted small">{example.limit}</p>
      </div>
      <div class="card connection">
        <div class="head">
          <Monogram name={example.tool} />
          <div class="what">
            <strong>{example.tool}</strong>
            <span class="muted small">{texts.connections.personal}</span>
          </div>
        </div>
        <SpendBar spent="3.1" held="0" limitCents={500} />
      </div>
      <figcaption class="visually-hidden">{example.caption}</figcaption>
    </figure>
  );
}

mount(<Landing />, { encrypts: false });

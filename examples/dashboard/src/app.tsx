import { NavLink, Route, Routes } from 'react-router';
import { AttemptsPage } from './pages/attempts-page.tsx';
import { CallPage } from './pages/call-page.tsx';
import { CampaignPage } from './pages/campaign-page.tsx';
import { CampaignsPage } from './pages/campaigns-page.tsx';
import { Page } from './parts/page.tsx';

export function App() {
  return (
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="bar">
        <span className="brand">Calls</span>
        <nav aria-label="Main">
          <NavLink to="/" end>
            Campaigns
          </NavLink>
          <NavLink to="/attempts">Attempts</NavLink>
        </nav>
      </header>
      <main id="content" tabIndex={-1}>
        <Routes>
          <Route index element={<CampaignsPage />} />
          <Route path="campaigns/:id" element={<CampaignPage />} />
          <Route path="attempts" element={<AttemptsPage />} />
          <Route path="calls/:id" element={<CallPage />} />
          <Route
            path="*"
            element={
              <Page title="Page not found">
                <p>The address is wrong, or the page has moved.</p>
              </Page>
            }
          />
        </Routes>
      </main>
    </>
  );
}
